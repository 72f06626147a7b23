// Start, memory, freshness, CPU of an update, and bursts, at 256 miners / 100,000 files / 100 MB.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  cpuMs,
  finish,
  KEYS,
  makeRoot,
  memoryMb,
  processTree,
  quantile,
  roleOf,
  startServer,
  treeSize,
  until,
} from './lib/world.mjs';
import { row } from './lib/report.mjs';

const TRIES = 100;
const CPU_UPDATES = 60;
const BURST = 30_000;
const BLOCKED_MS = 4000;
const NEW_MINERS = 200;
const FILES_EACH = 10;

const headers = { Authorization: `Bearer ${KEYS[100]}` };

function filesOf(root, side) {
  const base = join(root, 'validation', 'miners');
  return readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.endsWith(`/${side}`))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Writes a file as the validator does: aside, then renamed into place. */
function replace(root, path, text) {
  const aside = join(root, 'validation', 'tmp', randomUUID());
  mkdirSync(dirname(aside), { recursive: true });
  writeFileSync(aside, text);
  renameSync(aside, path);
}

const hotkeyOf = (root, path) => path.slice(join(root, 'validation', 'miners').length + 1).split('/')[0];

/** The file with another current return, told apart by `mark`. */
function marked(path, mark) {
  return readFileSync(path, 'utf8').replace(/"current_return": [^,]+/, `"current_return": ${mark}`);
}

async function minerText(server, hotkey) {
  return (await fetch(`${server.url}/miner-positions/${hotkey}`, { headers })).text();
}

async function freshness(server, root, open) {
  const delays = [];
  for (let index = 0; index < TRIES; index++) {
    const path = open[(index * 7) % open.length];
    const mark = `1.${String(1_000_000 + index)}`;
    const text = marked(path, mark);
    replace(root, path, text);
    const startedMs = performance.now();
    await until(
      async () => (await minerText(server, hotkeyOf(root, path))).includes(mark),
      5000,
      'the change is visible',
    );
    delays.push(performance.now() - startedMs);
  }
  return delays;
}

/** CPU of the whole server for one update, above what it uses while nothing changes. */
async function updateCpu(server, root, open) {
  const total = () => processTree(server.pid).reduce((sum, { pid }) => sum + cpuMs(pid), 0);
  const spanMs = CPU_UPDATES * 300;
  const idleStart = total();
  await new Promise((resolve) => setTimeout(resolve, spanMs));
  const idle = total() - idleStart;
  const busyStart = total();
  const startedMs = performance.now();
  for (let index = 0; index < CPU_UPDATES; index++) {
    replace(
      root,
      open[(index * 13) % open.length],
      marked(open[(index * 13) % open.length], `1.${2_000_000 + index}`),
    );
    await new Promise((resolve) => setTimeout(resolve, startedMs + (index + 1) * 300 - performance.now()));
  }
  return (total() - busyStart - idle) / CPU_UPDATES;
}

/** A burst of renames while the feed does nothing; how long until REST shows all of it. */
async function burst(server, root, files) {
  const feed = processTree(server.pid).find(({ command }) => roleOf(command) === 'feed');
  const marks = new Map();
  process.kill(feed.pid, 'SIGSTOP');
  const stoppedMs = performance.now();
  for (let index = 0; index < BURST; index++) {
    const path = files[index % files.length];
    const mark = `1.${3_000_000 + index}`;
    replace(root, path, marked(path, mark));
    marks.set(path, mark);
  }
  // And files in folders that are as new as they are.
  const newcomers = Array.from({ length: NEW_MINERS }, (_, index) => `new-${round}-${index}`);
  for (const [index, hotkey] of newcomers.entries()) {
    for (let file = 0; file < FILES_EACH; file++) {
      const uuid = randomUUID();
      const folder = join(root, 'validation', 'miners', hotkey, 'positions', `PAIR${file}`, 'closed');
      mkdirSync(folder, { recursive: true });
      const text = readFileSync(files[(index * FILES_EACH + file) % files.length], 'utf8');
      replace(
        root,
        join(folder, uuid),
        text.replace(/"position_uuid": "[^"]+"/, `"position_uuid": "${uuid}"`),
      );
    }
  }
  round += 1;
  await new Promise((resolve) =>
    setTimeout(resolve, Math.max(0, stoppedMs + BLOCKED_MS - performance.now())),
  );
  process.kill(feed.pid, 'SIGCONT');
  const startedMs = performance.now();
  const byHotkey = groupBy(marks.keys(), (path) => hotkeyOf(root, path));
  for (const [hotkey, paths] of byHotkey) {
    await until(
      async () => {
        const text = await minerText(server, hotkey);
        return paths.every((path) => text.includes(marks.get(path)));
      },
      120_000,
      `all changes of ${hotkey}`,
    );
  }
  for (const hotkey of newcomers) {
    await until(
      async () => (await minerText(server, hotkey)).split('"position_uuid"').length === FILES_EACH + 1,
      120_000,
      `all of ${hotkey}`,
    );
  }
  const tookMs = performance.now() - startedMs;
  for (const hotkey of newcomers) rmSync(join(root, 'validation', 'miners', hotkey), { recursive: true });
  return tookMs;
}

let round = 0;

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

try {
  const root = await makeRoot({ miners: 256, positions: 100_000 });
  const { files, bytes } = treeSize(root);
  process.stdout.write(`${files} files, ${(bytes / 1e6).toFixed(1)} MB\n\n`);

  const server = await startServer(root);
  row('start until serving', '<= 20 s', `${(server.readyMs / 1000).toFixed(1)} s`);
  for (const tier of Object.keys(KEYS)) {
    await (await fetch(`${server.url}/miner-positions?tier=${tier}`, { headers })).arrayBuffer();
  }
  const tree = processTree(server.pid);
  const memory = tree.map(({ pid, command }) => ({ role: roleOf(command), ...memoryMb(pid) }));
  const sum = (name) => Math.round(memory.reduce((total, entry) => total + entry[name], 0));
  row(
    'memory of all processes together, all tiers asked for once',
    '<= 1,000 MB',
    `${sum('rss')} MB resident, ${sum('pss')} MB with shared pages once (${memory.map(({ role, rss }) => `${role} ${Math.round(rss)}`).join(', ')})`,
  );

  const open = filesOf(root, 'open');
  const delays = await freshness(server, root, open);
  row(
    `one miner changed until visible over REST, ${TRIES} tries`,
    '<= 500 ms',
    `p50 ${Math.round(quantile(delays, 0.5))} ms, max ${Math.round(Math.max(...delays))} ms`,
  );
  const large = await updateCpu(server, root, open);
  row('CPU of one update at 256 miners', '<= 30 ms', `${large.toFixed(1)} ms`);

  const closed = filesOf(root, 'closed');
  row(
    `${BURST} renames and ${NEW_MINERS * FILES_EACH} files in new folders while the feed is stopped for ${BLOCKED_MS / 1000} s, until all are visible`,
    'all',
    `all, ${((await burst(server, root, [...open, ...closed].slice(0, BURST))) / 1000).toFixed(1)} s`,
  );
  await server.stop();

  const polling = await startServer(root, ['--watch', 'poll']);
  row(
    'the same without inotify',
    'all',
    `all, ${((await burst(polling, root, [...open, ...closed].slice(0, BURST))) / 1000).toFixed(1)} s`,
  );
  await polling.stop();

  const small = await makeRoot({ miners: 16, positions: 6250, name: 'small' });
  const few = await startServer(small);
  row(
    'CPU of one update at 16 miners of the same size',
    'about the same',
    `${(await updateCpu(few, small, filesOf(small, 'open'))).toFixed(1)} ms`,
  );
} finally {
  await finish();
}
