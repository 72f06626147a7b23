// Installs, builds, lints, tries the packed release, and runs every test. The last line is `N passed, N failed`.
import { install, runBeside, tool } from './steps.mjs';

const step = (title, ...args) => [title, process.execPath, ...args];

install();
// The README's other command builds, and goes on as far as it does without serving.
const built = await runBeside(step('build', 'scripts/demo.mjs', '--version'));
if (built !== 0) process.exit(built);
const results = [];
const codes = await Promise.all([
  runBeside(step('format', tool('oxfmt/bin/oxfmt'), '--check')),
  runBeside(step('release', 'scripts/check-release.mjs', '--built')),
  // By the types that the build wrote.
  runBeside(step('lint', tool('oxlint/bin/oxlint')), { inBackground: true }),
  runBeside(step('unused', tool('knip/bin/knip.js'), '--no-config-hints'), { inBackground: true }),
  runBeside(step('documents', 'scripts/check-docs.mjs')),
  runBeside(step('tests', 'scripts/run-tests.mjs', ...process.argv.slice(2)), {
    stderr: 'inherit',
    print: (text) => results.push(text),
  }),
]);
process.stdout.write(results.join(''));
process.exitCode = codes.find((code) => code !== 0) ?? 0;
