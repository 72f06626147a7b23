import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, killAtOnce, makePtnRoot, startServer, waitFor, workersOf } from '@ptn-api/testkit';
import type { RunningServer } from '@ptn-api/testkit';
import t from 'tap';

import { HOUR_MS, trade } from '../../feed/dist-test/feed-fixture.js';

const now = Date.now();
const positions = Array.from({ length: 40 }, (_, index) =>
  trade({
    uuid: `p-${index}`,
    hotkey: `miner-${index % 4}`,
    times: [now - (60 + index) * HOUR_MS, now - (50 + index) * HOUR_MS],
    closed: true,
  }),
);
const keys = { user: { key: 'the-key', tier: 100 } };
const headers = { Authorization: 'Bearer the-key' };
/** Between two requests of a client that only watches. */
const LOAD_PAUSE_MS = 5;

async function text(server: RunningServer): Promise<string> {
  const response = await fetch(`${server.url}/miner-positions`, { headers });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return response.text();
}

/** What became of one request on a connection of its own. */
function ask(server: RunningServer): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(`${server.url}/miner-positions`, { headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.once('end', () => {
        // Of a refusal, why.
        resolve(response.statusCode === 200 ? 200 : Buffer.concat(pieces).toString('utf8'));
      });
      response.once('error', (error) => {
        resolve(error.message);
      });
    });
    asked.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    asked.end();
  });
}

const root = makePtnRoot(t, { positions, keys });
const server = await startServer(t, { root: root.path, args: ['--rest-workers', '2'] });

await t.test('the feed is killed: the last state is served on, and changes are followed again', async (t) => {
  const before = await text(server);
  const [feed] = workersOf(server, 'feed');
  t.ok(feed);
  killAtOnce(feed);
  t.equal(await text(server), before, 'served while the feed is down');
  const changed = trade({ uuid: 'after-kill', hotkey: 'miner-0', times: [now - HOUR_MS] });
  root.writePosition(changed);
  await waitFor(async () => (await text(server)).includes('after-kill'), {
    what: 'a change after the restart',
  });
  t.equal(workersOf(server, 'feed').length, 1);
  t.notOk(workersOf(server, 'feed').includes(feed ?? 0));
});

await t.test('a REST worker of two is killed under load: nobody is refused', async (t) => {
  const outcomes = new Map<number | string, number>();
  let isOver = false;
  t.teardown(() => {
    isOver = true;
  });
  const clients = Array.from({ length: 16 }, async () => {
    while (!isOver) {
      const outcome = await ask(server);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  });
  const [victim] = workersOf(server, 'rest');
  await waitFor(() => (outcomes.get(200) ?? 0) > 200, { what: 'load' });
  killAtOnce(victim);
  await waitFor(
    () => workersOf(server, 'rest').length === 2 && !workersOf(server, 'rest').includes(victim ?? 0),
    {
      what: 'a new worker',
    },
  );
  const soFar = outcomes.get(200) ?? 0;
  await waitFor(() => (outcomes.get(200) ?? 0) > soFar + 200, { what: 'more load' });
  isOver = true;
  await Promise.all(clients);
  t.equal(outcomes.get('ECONNREFUSED') ?? 0, 0, 'no connection was refused');
  const others = [...outcomes].filter(([outcome]) => outcome !== 200);
  // What the killed worker had in hand is lost, at most one request for each connection.
  t.ok(others.reduce((sum, [, count]) => sum + count, 0) <= 16, JSON.stringify(others));
});

await t.test('SIGHUP replaces the workers and refuses nobody', async (t) => {
  const before = server.childPids();
  const outcomes = new Set<number | string>();
  let isOver = false;
  t.teardown(() => {
    isOver = true;
  });
  const clients = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      outcomes.add(await ask(server));
      await delay(LOAD_PAUSE_MS);
    }
  });
  server.kill('SIGHUP');
  await waitFor(
    () => server.childPids().length === 4 && server.childPids().every((pid) => !before.includes(pid)),
    {
      timeoutMs: 20_000,
      what: 'all workers are new',
    },
  );
  isOver = true;
  await Promise.all(clients);
  t.same([...outcomes], [200]);
});

await t.test('the supervisor is killed: no process is left', async (t) => {
  const workers = server.childPids();
  t.equal(workers.length, 4);
  server.kill('SIGKILL');
  await server.exited;
  await waitFor(() => workers.every((pid) => !isRunning(pid)), { what: 'the workers end by themselves' });
  t.pass('none left');
});
