// Installs, builds, lints, tries the packed release, and runs every test. The last line is `N passed, N failed`.
import { build, install, run, tool } from './steps.mjs';

install();
build();
// The README's other command, as far as it goes without serving.
run('demo', process.execPath, ['scripts/demo.mjs', '--version']);
run('lint', process.execPath, [tool('eslint/bin/eslint.js'), '.']);
run('format', process.execPath, [tool('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.']);
run('unused', process.execPath, [tool('knip/bin/knip.js'), '--no-config-hints']);
run('documents', process.execPath, ['scripts/check-docs.mjs']);
run('release', process.execPath, ['scripts/check-release.mjs']);
run('tests', process.execPath, ['scripts/run-tests.mjs', ...process.argv.slice(2)]);
