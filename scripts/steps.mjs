import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command in the project's folder and ends this process with its exit code if it fails. */
export function run(title, command, args, options = {}) {
  process.stderr.write(`- ${title}\n`);
  const result = spawnSync(command, args, { cwd: projectRoot, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    process.stderr.write(`${title} failed\n`);
    process.exit(result.status ?? 1);
  }
}

/** The script of a development tool, run by the same Node as this one. */
export function tool(path) {
  return join(projectRoot, 'node_modules', path);
}

/** Installs what package-lock.json names, unless that has been done since it last changed. */
export function install() {
  const done = join(projectRoot, 'node_modules', '.package-lock.json');
  const wanted = join(projectRoot, 'package-lock.json');
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(wanted).mtimeMs) return;
  const npm = process.env.npm_execpath;
  const command = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  run('install', command[0], [...command.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Compiles every package and its tests, and builds the dashboard's page. */
export function build() {
  run('build', process.execPath, [tool('typescript/bin/tsc'), '-b']);
  run('build the page', process.execPath, [tool('vite/bin/vite.js'), 'build', 'packages/dashboard']);
}
