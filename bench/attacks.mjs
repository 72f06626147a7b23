// What a polling and a streaming customer notice of somebody who does one thing as fast as possible: their times beside
// the attacker against their times without it (in the spans before and after, as machines are not always equally fast),
// refusals, missed orders, and what each process of the server grows by over the span before. The rows are those of the table of bounds in
// docs/security.md. Options: --seconds=60 --only=<parts of names, with | between them>
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ATTACKER_KEY, ATTACKERS, startAttacker } from './lib/attackers.mjs';
import { connect, newPosition, placeOrder, streamUrl } from './lib/orders.mjs';
import { HEADERS, pollFor } from './lib/poller.mjs';
import { row } from './lib/report.mjs';
import {
  finish,
  makeRoot,
  ownMemoryMb,
  processTree,
  quantile,
  roleOf,
  startServer,
  until,
} from './lib/world.mjs';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, only: { type: 'string', default: '' } },
});
const SECONDS = Number(values.seconds);
const ONLY = values.only.split('|');
/** In the order log before anything is measured, for those who resume. */
const KEPT_ORDERS = 20_000;
const ORDER_EVERY_MS = 50;
/** Between two attackers the customers are alone for this part of an attack's time. */
const ALONE_PART = 0.4;
/** Customers who keep all workers busy before anything is measured: a heap that has never been busy is small. */
const WARM_UP = { customers: 16, requests: 400 };

const warmUpKey = (customer) => `bench-warm-up-${customer}`;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Positions whose orders are all of this minute. */
function fillOrderLog(root) {
  for (let file = 0; file < KEPT_ORDERS / 100; file++) {
    const position = newPosition();
    const [order] = position.orders;
    position.orders = Array.from({ length: 100 }, () => ({ ...order, order_uuid: randomUUID() }));
    const folder = join(root, 'validation/miners', position.miner_hotkey, 'positions/BTCUSD/open');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, position.position_uuid), JSON.stringify(position));
  }
}

/** Customers for a while: `{poll, stream}` are their times in ms, `refused` what they were refused. */
async function customers(server, root, stream, seconds) {
  const seen = { stream: [], memory: {} };
  const endMs = performance.now() + seconds * 1000;
  const polling = pollFor(server.url, seconds);
  const placed = new Map();
  const placing = (async () => {
    while (performance.now() < endMs) {
      const startedMs = performance.now();
      placed.set(placeOrder(root), startedMs);
      await sleep(Math.max(0, startedMs + ORDER_EVERY_MS - performance.now()));
    }
  })();
  const watching = (async () => {
    while (performance.now() < endMs) {
      for (const { pid, command } of processTree(server.pid)) {
        const name = `${roleOf(command)} ${pid}`;
        try {
          seen.memory[name] = Math.max(seen.memory[name] ?? 0, ownMemoryMb(pid));
        } catch (error) {
          // It has ended since.
          if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
        }
      }
      await sleep(500);
    }
  })();
  const [{ times, refused }] = await Promise.all([polling, placing, watching]);
  Object.assign(seen, { poll: times, refused });
  const all = () => [...placed.keys()].every((uuid) => stream.arrivedMs.has(uuid));
  await until(all, 30_000, 'every order at the streaming customer').catch(({ message }) =>
    seen.refused.push(message),
  );
  for (const [uuid, placedMs] of placed) {
    const arrivedMs = stream.arrivedMs.get(uuid);
    if (arrivedMs !== undefined) seen.stream.push(arrivedMs - placedMs);
  }
  return seen;
}

const figures = (times) => [quantile(times, 0.5), quantile(times, 0.99)];
const inMs = (values) => values.map((ms) => ms.toFixed(1)).join(' / ');

/** A customer's times beside an attacker, and how many times those of the customer alone they are. */
function compare(beside, alone) {
  const [attacked, quiet] = [figures(beside), figures(alone)];
  const ratios = attacked.map((ms, index) => (ms / quiet[index]).toFixed(1));
  return `${inMs(attacked)} to ${inMs(quiet)} (${ratios.join(' and ')} ×)`;
}

async function warmUp(server, hotkey) {
  const paths = ['/miner-hotkeys', `/miner-positions/${hotkey}`, '/statistics'];
  const ask = async (customer) => {
    for (let request = 0; request < WARM_UP.requests; request++) {
      const response = await fetch(`${server.url}${paths[request % paths.length]}`, {
        headers: { ...HEADERS, Authorization: `Bearer ${warmUpKey(customer)}` },
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`the warm-up was answered with ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: WARM_UP.customers }, (_, customer) => ask(customer)));
}

try {
  const root = await makeRoot({ miners: 100, positions: 20_000, name: 'attacks' });
  const keyFile = join(root, 'ptn_api', 'api_keys.json');
  const keys = JSON.parse(readFileSync(keyFile, 'utf8'));
  keys.attacker = { key: ATTACKER_KEY, tier: 100 };
  for (let customer = 0; customer < WARM_UP.customers; customer++) {
    keys[`warm-up-${customer}`] = { key: warmUpKey(customer), tier: 100 };
  }
  writeFileSync(keyFile, JSON.stringify(keys));
  const server = await startServer(root, ['--trust-proxy', '127.0.0.1'], { rateLimit: 600 });
  const stream = await connect(server);
  fillOrderLog(root);
  await until(() => stream.sequences.length >= KEPT_ORDERS, 60_000, 'the kept orders');
  const line = server
    .output()
    .split('\n')
    .find((entry) => entry.includes('"event":"listening-admin"'));
  const ws = new URL(streamUrl(server));
  const generation = (await fetch(`${server.url}/miner-hotkeys`, { headers: HEADERS })).headers.get(
    'x-generation',
  );
  const [hotkey] = readdirSync(join(root, 'validation/miners')).filter((name) => !name.startsWith('stream-'));
  const at = {
    root,
    hotkey,
    generation,
    rest: { host: '127.0.0.1', port: server.port },
    ws: { host: '127.0.0.1', port: Number(ws.port) },
    admin: { host: '127.0.0.1', port: JSON.parse(line).port },
  };

  await warmUp(server, hotkey);
  await customers(server, root, stream, 5);
  const alone = () => customers(server, root, stream, SECONDS * ALONE_PART);
  let before = await alone();
  for (const name of ATTACKERS.filter((attacker) => ONLY.some((part) => attacker.includes(part)))) {
    const attacker = await startAttacker(name, at);
    const beside = await customers(server, root, stream, SECONDS);
    const count = await attacker.stop();
    const after = await alone();
    const times = (kind) => compare(beside[kind], [...before[kind], ...after[kind]]);
    const [[role, mb]] = Object.entries(beside.memory)
      .map(([process, peakMb]) => [process.split(' ')[0], peakMb - (before.memory[process] ?? 0)])
      .sort(([, a], [, b]) => b - a);
    const refused =
      beside.refused.length === 0 ? 'no refusal' : `REFUSED ${beside.refused.length}: ${beside.refused[0]}`;
    row(
      name,
      '<= 2 ×, no refusal, <= +100 MB',
      `${times('poll')}, ${times('stream')}, ${refused}, ${role} ${mb >= 0 ? '+' : ''}${mb.toFixed(0)} MB; done ${count}`,
    );
    before = after;
  }
} finally {
  await finish();
}
