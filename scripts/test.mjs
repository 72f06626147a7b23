// Installs, builds, lints, tries the packed release, and runs every test. The last line is `N passed, N failed`.
import { install, runBeside, tool } from './steps.mjs';

const step = (title, ...args) => [title, process.execPath, ...args];

install();
// Of the sources, so that nothing has to be built for them. Tests that wait for others leave them the time.
const ofSources = [
  step('lint', tool('eslint/bin/eslint.js'), '.'),
  step('format', tool('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'),
].map((check) => runBeside(check, { inBackground: true }));
// The README's other command builds, and goes on as far as it does without serving.
for (const one of [
  step('build', 'scripts/demo.mjs', '--version'),
  step('release', 'scripts/check-release.mjs', '--built'),
]) {
  const code = await runBeside(one);
  if (code === 0) continue;
  await Promise.all(ofSources);
  process.exit(code);
}
const results = [];
const codes = await Promise.all([
  ...ofSources,
  runBeside(step('unused', tool('knip/bin/knip.js'), '--no-config-hints'), { inBackground: true }),
  runBeside(step('documents', 'scripts/check-docs.mjs')),
  runBeside(step('tests', 'scripts/run-tests.mjs', ...process.argv.slice(2)), {
    stderr: 'inherit',
    print: (text) => results.push(text),
  }),
]);
process.stdout.write(results.join(''));
process.exitCode = codes.find((code) => code !== 0) ?? 0;
