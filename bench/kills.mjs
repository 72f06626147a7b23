// What clients see when a process is killed, and how long until all is as before. 256 miners / 100,000 files.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { finish, KEYS, makeRoot, processTree, roleOf, startServer, until } from './lib/world.mjs';
import { row } from './lib/report.mjs';

const CONNECTIONS = 16;
const headers = { Authorization: `Bearer ${KEYS[100]}`, 'Accept-Encoding': 'gzip' };

const workers = (server, role) => processTree(server.pid).filter(({ command }) => roleOf(command) === role);

/** One request on a connection of its own: `200`, another status, or the error's code. */
function ask(url) {
  return new Promise((resolve) => {
    const asked = request(url, { headers, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
      response.once('error', (error) => resolve(error.code ?? error.message));
    });
    asked.once('error', (error) => resolve(error.code ?? error.message));
    asked.end();
  });
}

/** Keeps asking from several connections until stopped; counts what came back. */
function load(url) {
  const outcomes = new Map();
  let isOver = false;
  const clients = Array.from({ length: CONNECTIONS }, async () => {
    while (!isOver) {
      const outcome = await ask(url);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  });
  return {
    outcomes,
    async stop() {
      isOver = true;
      await Promise.all(clients);
      return [...outcomes].map(([outcome, count]) => `${outcome}: ${count}`).join(', ');
    },
  };
}

const readyCount = (server) => server.output().split('"event":"worker-ready"').length;

/** Kills a worker; resolves with the ms until the one in its place is ready. */
async function killAndTime(server, pid) {
  const before = readyCount(server);
  process.kill(pid, 'SIGKILL');
  const startedMs = performance.now();
  await until(() => readyCount(server) > before, 60_000, 'a new worker is ready');
  return performance.now() - startedMs;
}

try {
  const root = await makeRoot({ miners: 256, positions: 100_000 });
  const base = join(root, 'validation', 'miners');
  const open = readdirSync(base, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isFile() && entry.parentPath.endsWith('/open'),
  );
  const path = join(open.parentPath, open.name);
  const hotkey = path.slice(base.length + 1).split('/')[0];
  const server = await startServer(root);
  const url = `${server.url}/miner-positions/${hotkey}`;

  // Another one at every run, as the folder may be kept between runs.
  const mark = `1.${Date.now()}`;
  const [feed] = workers(server, 'feed');
  let requests = load(url);
  await until(() => (requests.outcomes.get(200) ?? 0) > 500, 10_000, 'load');
  process.kill(feed.pid, 'SIGKILL');
  const killedMs = performance.now();
  const aside = join(root, 'validation', 'tmp', randomUUID());
  mkdirSync(join(root, 'validation', 'tmp'), { recursive: true });
  writeFileSync(
    aside,
    readFileSync(path, 'utf8').replace(/"current_return": [^,]+/, `"current_return": ${mark}`),
  );
  renameSync(aside, path);
  await until(
    async () => (await (await fetch(url, { headers })).text()).includes(mark),
    60_000,
    'the change made while the feed was down is visible',
  );
  row(
    `SIGKILL of the feed, ${CONNECTIONS} connections asking`,
    'last state served, nothing lost',
    `${await requests.stop()}; a change made meanwhile is visible after ${((performance.now() - killedMs) / 1000).toFixed(1)} s`,
  );

  requests = load(url);
  await until(() => (requests.outcomes.get(200) ?? 0) > 500, 10_000, 'load');
  const [victim] = workers(server, 'rest');
  const restMs = await killAndTime(server, victim.pid);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  row(
    `SIGKILL of one REST worker of two, ${CONNECTIONS} connections asking`,
    'nobody refused',
    `${await requests.stop()}; a new worker after ${(restMs / 1000).toFixed(1)} s`,
  );

  const tree = processTree(server.pid).filter(({ pid }) => pid !== server.pid);
  process.kill(server.pid, 'SIGKILL');
  const startedMs = performance.now();
  const alive = () =>
    tree.filter(({ pid }) => {
      try {
        process.kill(pid, 0);
        return true;
      } catch (error) {
        if (error.code === 'ESRCH') return false;
        throw error;
      }
    });
  await until(() => alive().length === 0, 20_000, 'no worker is left');
  row(
    'SIGKILL of the supervisor',
    'no orphan',
    `no worker left after ${Math.round(performance.now() - startedMs)} ms`,
  );
  const again = await startServer(root);
  row('start after it', '<= 20 s', `${(again.readyMs / 1000).toFixed(1)} s`);
} finally {
  await finish();
}
