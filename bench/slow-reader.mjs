// A Python client that reads 20 KB/s, as one behind a thin line, for minutes: in the first half more is placed than it can
// take, in the second less, so that it catches up. Every order must reach it once, in order, on one connection.
// Options: --minutes=3 --bytes=20000
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makePosition, makePtnRoot, startServer } from '../packages/testkit/dist/index.js';
import { row } from './lib/report.mjs';
import { atEnd, finish, projectRoot, until } from './lib/world.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    bytes: { type: 'string', default: '20000' },
  },
});
const forMs = Number(values.minutes) * 60_000;
const bytesPerSecond = Number(values.bytes);
const KEY = 'key-of-a-slow-reader';
const CLIENT = join(projectRoot, 'packages/cli/test/python/legacy_client.py');
/** What one order of this benchmark is as a message, roughly. */
const MESSAGE_BYTES = 620;
/** How much of what the client can take is placed, in the first and in the second half of the time. */
const LOADS = [1.6, 0.3];
const CATCH_UP_MS = 300_000;

try {
  const scope = { teardown: atEnd };
  const root = makePtnRoot(scope, { keys: { slow: { key: KEY, tier: 100 } } });
  const server = await startServer(scope, { root: root.path });
  const client = spawn(
    '/usr/bin/python3',
    [CLIENT, server.wsUrl, KEY, '--bytes-per-second', String(bytesPerSecond)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(client, 'exit');
  atEnd(async () => {
    client.kill('SIGKILL');
    await ended;
  });
  const events = [];
  const sequences = [];
  createInterface({ input: client.stdout }).on('line', (line) => {
    const event = JSON.parse(line);
    if (event.event === 'order') sequences.push(event.sequence);
    else events.push(event);
  });
  await until(() => events.some(({ event }) => event === 'subscribed'), 20_000, 'the client has subscribed');

  const startMs = performance.now();
  let placed = 0;
  let furthestBehind = 0;
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs = performance.now() - startMs) {
    const load = elapsedMs < forMs / 2 ? LOADS[0] : LOADS[1];
    placed += 1;
    const order = { timeMs: Date.now(), uuid: `order-${placed}` };
    root.writePosition(
      makePosition({ hotkey: `miner-${placed % 20}`, uuid: `p-${placed}`, orders: [order] }),
    );
    furthestBehind = Math.max(furthestBehind, placed - sequences.length);
    await delay((1000 * MESSAGE_BYTES) / (bytesPerSecond * load));
  }
  await until(() => sequences.length >= placed, CATCH_UP_MS, 'the client has caught up');
  const seconds = Math.round((performance.now() - startMs) / 1000);

  const isWhole = sequences.every((sequence, index) => sequence === sequences[0] + index);
  const connections = events.filter(({ event }) => event === 'connected').length;
  row(
    `a Python client that reads ${bytesPerSecond} bytes a second, for ${seconds} s`,
    'every order once, in order, on one connection',
    `${sequences.length} of ${placed} orders, ${isWhole ? 'none missing or twice' : 'WITH HOLES'}, ` +
      `${connections} connection${connections === 1 ? '' : 's'}, ${furthestBehind} orders behind at most`,
  );
  if (!isWhole || sequences.length !== placed || connections !== 1) process.exitCode = 1;
} finally {
  await finish();
}
