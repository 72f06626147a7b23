// The demo, compiled and started again after every change of a source. Ctrl-C ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { watch } from 'chokidar';
import { build, install, projectRoot, tsc } from './steps.mjs';

/** A change touches several files, one after the other. */
const SETTLE_MS = 300;

install();
build();
const compiler = spawn(process.execPath, [tsc, '-b', '--watch', '--preserveWatchOutput'], {
  cwd: projectRoot,
  stdio: 'inherit',
  // In a group of its own: it runs the compiler as a process that would outlive it.
  detached: true,
});

let isEnding = false;
let demo = start();
let timer;
let restarting = Promise.resolve();

function start() {
  return spawn(process.execPath, ['scripts/ptn-api.mjs', '--serve', '--demo', ...process.argv.slice(2)], {
    cwd: projectRoot,
    stdio: 'inherit',
  });
}

async function stop() {
  if (demo.exitCode !== null || demo.signalCode !== null) return;
  const exited = once(demo, 'exit');
  demo.kill('SIGTERM');
  await exited;
}

const built = readdirSync(join(projectRoot, 'packages'))
  .map((name) => join(projectRoot, 'packages', name, 'dist'))
  .filter((folder) => existsSync(folder));
const watcher = watch(built, { ignoreInitial: true, ignored: /\.(map|d\.ts|tsbuildinfo)$/ });
watcher.on('all', () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    restarting = restarting.then(async () => {
      await stop();
      if (!isEnding) demo = start();
    });
  }, SETTLE_MS);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    isEnding = true;
    clearTimeout(timer);
    // Nothing milder ends the compiler while it watches; what it has half written it writes again.
    process.kill(-compiler.pid, 'SIGKILL');
    await watcher.close();
    await restarting;
    await stop();
  });
}
