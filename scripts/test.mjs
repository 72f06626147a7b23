// Installs, builds, lints and runs every test. The last line is `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, install, projectRoot, run, tool } from './steps.mjs';

install();
build();
run('lint', process.execPath, [tool('eslint/bin/eslint.js'), '.']);
run('format', process.execPath, [tool('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.']);
run('documents', process.execPath, ['scripts/check-docs.mjs']);

process.stderr.write('- tests\n');
const outputFile = join(projectRoot, '.tap', 'output.tap');
mkdirSync(join(projectRoot, '.tap'), { recursive: true });
rmSync(outputFile, { force: true });
const tap = spawnSync(
  process.execPath,
  [tool('tap/dist/esm/run.mjs'), '--reporter=terse', `--output-file=${outputFile}`, ...process.argv.slice(2)],
  { cwd: projectRoot, stdio: 'inherit' },
);
if (tap.error) throw tap.error;

const report = readFileSync(outputFile, 'utf8');
// Where the output is no terminal, the reporter tells a failure only while it happens, among everything else.
for (const [line] of report.matchAll(/^ *not ok .*$(?:\n +---\n[^]*?\n +\.\.\.$)?/gm))
  process.stderr.write(`${line}\n`);

const totals = /^# \{ total: (\d+)(?:, pass: (\d+))?(?:, fail: (\d+))?.*\}$/m.exec(report);
const passed = Number(totals?.[2] ?? 0);
const failed = Number(totals?.[3] ?? 0);
const isGood = tap.status === 0 && failed === 0 && passed > 0;
process.stdout.write(`${passed} passed, ${isGood ? 0 : Math.max(failed, 1)} failed\n`);
process.exit(isGood ? 0 : 1);
