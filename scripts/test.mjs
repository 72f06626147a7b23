// Installs, builds, lints, tries the packed release, and runs every test. The last line is `N passed, N failed`.
import { build, install, run, runTogether, tool } from './steps.mjs';

install();
build();
// The README's other command, as far as it goes without serving.
run('demo', process.execPath, ['scripts/demo.mjs', '--version']);
// Each waits for the disk, npm or itself some of the time.
await runTogether(
  [
    ['release', 'scripts/check-release.mjs'],
    ['lint', tool('eslint/bin/eslint.js'), '.'],
    ['format', tool('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
    ['unused', tool('knip/bin/knip.js'), '--no-config-hints'],
    ['documents', 'scripts/check-docs.mjs'],
  ].map(([title, ...args]) => [title, process.execPath, args]),
);
run('tests', process.execPath, ['scripts/run-tests.mjs', ...process.argv.slice(2)]);
