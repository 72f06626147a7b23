import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
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

/** What is run before a command that only gets the time that others leave. */
const IN_THE_BACKGROUND = ['nice', '-n', '19'];

/**
 * Runs a command beside others and gives its exit code. What it wrote is printed when it ends, in one piece after a line that
 * says how it did.
 */
export async function runBeside(
  [title, ...command],
  { print = (text) => process.stderr.write(text), stderr = 'pipe', inBackground = false } = {},
) {
  const startedMs = performance.now();
  const [program, ...args] = inBackground ? [...IN_THE_BACKGROUND, ...command] : command;
  const child = spawn(program, args, { cwd: projectRoot, stdio: ['ignore', 'pipe', stderr] });
  const written = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => written.push(bytes));
  const [code, signal] = await once(child, 'close');
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  const ending = code === 0 ? '' : ` failed (${signal ?? `exit code ${code}`})`;
  process.stderr.write(`- ${title}${ending}, ${seconds} s\n`);
  print(Buffer.concat(written).toString('utf8'));
  return code ?? 1;
}

/** The script of a development tool, run by the same Node as this one. */
export function tool(path) {
  return join(projectRoot, 'node_modules', path);
}

/** By a name of its own: tap's runner loads `typescript`, of before version 7. */
export const tsc = tool('typescript-native/bin/tsc');

/** Installs what package-lock.json names, unless that has been done since it last changed. */
export function install() {
  const done = join(projectRoot, 'node_modules', '.package-lock.json');
  const wanted = join(projectRoot, 'package-lock.json');
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(wanted).mtimeMs) return;
  const npm = process.env.npm_execpath;
  const command = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  run('install', command[0], [...command.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Compiles every package and its tests, and builds the server's page and the miner's. */
export function build() {
  run('build', process.execPath, [tsc, '-b']);
  const vite = [tool('vite/bin/vite.js'), 'build', '--config', 'packages/dashboard/vite.config.mjs'];
  run("build the server's page", process.execPath, vite);
  run("build the miner's page", process.execPath, [...vite, '--mode', 'miner']);
}
