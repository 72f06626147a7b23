// Installs, builds, lints, tries the packed release, and runs every test. The last line is `N passed, N failed`.
import { install, runBeside, tool } from './steps.mjs';

const step = (title, ...args) => [title, process.execPath, args];

install();
// Of the sources, so that nothing has to be built for them; on one core each, for as long as many tests take.
const ofSources = [
  runBeside(step('lint', tool('eslint/bin/eslint.js'), '.')),
  runBeside(step('format', tool('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.')),
];
// The README's other command builds, and goes on as far as it does without serving.
const built = await runBeside(step('build', 'scripts/demo.mjs', '--version'));
if (built !== 0) process.exit(built);
const results = [];
const codes = await Promise.all([
  ...ofSources,
  runBeside(step('release', 'scripts/check-release.mjs', '--built')),
  runBeside(step('unused', tool('knip/bin/knip.js'), '--no-config-hints')),
  runBeside(step('documents', 'scripts/check-docs.mjs')),
  runBeside(step('tests', 'scripts/run-tests.mjs', ...process.argv.slice(2)), {
    stderr: 'inherit',
    print: (text) => results.push(text),
  }),
]);
process.stdout.write(results.join(''));
process.exitCode = codes.find((code) => code !== 0) ?? 0;
