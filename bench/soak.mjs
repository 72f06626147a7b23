// Hours of use in minutes: the simulated market, stream clients that come and go, REST clients that poll. What matters is
// that memory stays flat, nothing fails and nobody misses an order. The market grows meanwhile: what of that memory is data
// is shown by new processes that read it all (SIGHUP), under the same load. Options: --minutes=20 --orders=20 --clients=200
// --pollers=20 --fresh-minutes=5
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PtnStreamClient } from '@ptn-api/client';
import { streamUrl } from './lib/orders.mjs';
import { row } from './lib/report.mjs';
import {
  atEnd,
  finish,
  makeRoot,
  memoryMb,
  processTree,
  projectRoot,
  quantile,
  roleOf,
  startServer,
} from './lib/world.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    orders: { type: 'string', default: '20' },
    clients: { type: 'string', default: '200' },
    pollers: { type: 'string', default: '20' },
    'fresh-minutes': { type: 'string', default: '5' },
  },
});
const [MINUTES, ORDERS, CLIENTS, POLLERS, FRESH_MINUTES] = [
  'minutes',
  'orders',
  'clients',
  'pollers',
  'fresh-minutes',
].map((name) => Number(values[name]));
const CLIENTS_PER_KEY = 5;
/** A client stays connected for some of this, is away for as long, and comes back to where it was. */
const STAY_MS = 30_000;
const POLL_EVERY_MS = 1000;
const SAMPLE_EVERY_MS = 5000;
/** Memory is compared from here on: before, caches fill and the first garbage is collected. */
const WARM_MINUTES = Math.min(5, MINUTES / 4);

const KEYS = Array.from({ length: CLIENTS / CLIENTS_PER_KEY + 1 }, (_, index) => `soak-key-${index}`);
const endMs = () => startedMs + (MINUTES + FRESH_MINUTES) * 60_000;
const errors = [];
const delays = { stream: [], rest: [] };
/** MB of the positions at tier 100, compressed: the market grows, and what is served of it has to be held. */
const size = { positions: 0 };
let startedMs = 0;
let received = 0;
let sessions = 0;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One reader of the stream: its cursor outlives its connections, so that a missing order would be seen. */
async function stream(server, key) {
  let cursor;
  await sleep(Math.random() * STAY_MS);
  while (performance.now() < endMs()) {
    sessions += 1;
    let last = cursor?.sequence;
    const client = new PtnStreamClient({
      url: streamUrl(server),
      apiKey: key,
      cursorStore: { load: () => cursor ?? null, save: (saved) => (cursor = saved) },
      onOrders: (orders) => {
        for (const { sequence, lagFromQueueMs } of orders) {
          if (last !== undefined && sequence !== last + 1) errors.push(`${sequence} came after ${last}`);
          last = sequence;
          received += 1;
          // What was missed while it was away is late by nature.
          if (orders.length === 1 && received % 20 === 0) delays.stream.push(lagFromQueueMs);
        }
      },
      onGap: (gap) => errors.push(JSON.stringify(gap)),
      onError: (error) => errors.push(error.message),
    });
    await client.start();
    await sleep(Math.random() * STAY_MS);
    await client.stop();
    await sleep(Math.random() * STAY_MS);
  }
}

/** Asks and takes the bytes as they come: to unpack and parse them would cost this machine more than serving them. */
function get(server, path, key, agent) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${key}`, 'Accept-Encoding': 'gzip' };
    const asked = request(`${server.url}${path}`, { headers, agent }, (response) => {
      response.resume();
      response.once('error', reject);
      response.once('end', () => resolve(response));
    });
    asked.once('error', reject);
    asked.end();
  });
}

/** One program that asks again and again, each time for something else. */
async function poll(server, key, index) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let generation;
  for (let round = index; performance.now() < endMs(); round++) {
    const paths = [
      `/miner-positions?tier=${[0, 30, 50, 100][Math.floor(round / 5) % 4]}`,
      '/miner-hotkeys',
      '/statistics',
      '/eliminations',
      ...(generation === undefined ? [] : [`/miner-positions/changes?since=${generation}`]),
    ];
    const path = paths[round % paths.length];
    const beforeMs = performance.now();
    try {
      const { statusCode, headers } = await get(server, path, key, agent);
      // A generation may be too old by now; that is an answer, too.
      if (statusCode !== 200 && statusCode !== 410) errors.push(`${path}: status ${statusCode}`);
      generation = headers['x-generation'] ?? generation;
      if (path.endsWith('tier=100')) size.positions = Number(headers['content-length']) / 1e6;
    } catch (error) {
      errors.push(`${path}: ${error.message}`);
    }
    delays.rest.push(performance.now() - beforeMs);
    await sleep(POLL_EVERY_MS * (0.5 + Math.random()));
  }
  agent.destroy();
}

/** Memory of each process, again and again: `[{ minute, sizes: by pid, positions }]`. */
async function watchMemory(server) {
  const samples = [];
  while (performance.now() < endMs()) {
    const sizes = new Map();
    for (const { pid, command } of processTree(server.pid)) {
      sizes.set(`${roleOf(command)} ${pid}`, memoryMb(pid).own);
    }
    samples.push({ minute: (performance.now() - startedMs) / 60_000, sizes, positions: size.positions });
    await sleep(SAMPLE_EVERY_MS);
  }
  return samples;
}

function mean(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function reportMemory(samples) {
  const warm = samples.filter(({ minute }) => minute >= WARM_MINUTES && minute < MINUTES);
  const third = Math.ceil(warm.length / 3);
  row(
    `positions served meanwhile, compressed`,
    '-',
    `${mean(warm.slice(0, third).map(({ positions }) => positions)).toFixed(2)} -> ${mean(warm.slice(-third).map(({ positions }) => positions)).toFixed(2)} MB`,
  );
  for (const name of warm.at(-1).sizes.keys()) {
    const sizes = warm.map(({ sizes: all }) => all.get(name));
    if (sizes.includes(undefined)) {
      errors.push(`${name} is not the process of the start`);
      continue;
    }
    const [before, after] = [mean(sizes.slice(0, third)), mean(sizes.slice(-third))];
    row(
      `own memory of ${name.split(' ')[0]} after the first ${WARM_MINUTES} min, mean of the first and of the last third`,
      'flat',
      `${before.toFixed(0)} -> ${after.toFixed(0)} MB (${(((after - before) / before) * 100).toFixed(1)} %), at most ${Math.max(...sizes).toFixed(0)} MB`,
    );
  }
  // The second half of what follows the SIGHUP: at first they read everything.
  const fresh = samples.filter(({ minute }) => minute >= MINUTES + FRESH_MINUTES / 2);
  for (const name of fresh.at(-1)?.sizes.keys() ?? []) {
    if (warm.at(-1).sizes.has(name)) continue;
    const sizes = fresh.flatMap(({ sizes: all }) => all.get(name) ?? []);
    row(
      `own memory of a new ${name.split(' ')[0]} with the data of the end, under the same load`,
      'not less',
      `${mean(sizes).toFixed(0)} MB, at most ${Math.max(...sizes).toFixed(0)} MB`,
    );
  }
}

/** Has every worker replaced when the time is up; the supervisor stays. */
async function replaceWorkers(server) {
  if (FRESH_MINUTES === 0) return;
  await sleep(MINUTES * 60_000);
  process.kill(server.pid, 'SIGHUP');
}

try {
  delete process.env.PTN_BENCH_ROOT;
  const root = await makeRoot({ miners: 2, positions: 2, name: 'soak' });
  // The market goes on from a history of its own.
  const live = join(root, 'live');
  const market = fork(
    join(projectRoot, 'packages/simulator/dist/main.js'),
    [
      '--root',
      live,
      '--miners',
      '60',
      '--positions',
      '3000',
      '--seed',
      '7',
      '--orders-per-second',
      String(ORDERS),
    ],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  atEnd(async () => {
    market.disconnect();
    await once(market, 'exit');
  });
  await once(market, 'message');
  const keyFile = join(root, 'keys.json');
  writeFileSync(keyFile, JSON.stringify(Object.fromEntries(KEYS.map((key) => [key, { key, tier: 100 }]))), {
    mode: 0o600,
  });
  const server = await startServer(live, ['--api-keys', keyFile]);
  startedMs = performance.now();
  const [samples] = await Promise.all([
    watchMemory(server),
    replaceWorkers(server),
    ...Array.from({ length: CLIENTS }, (_, index) => stream(server, KEYS[index % (KEYS.length - 1)])),
    ...Array.from({ length: POLLERS }, (_, index) => poll(server, KEYS.at(-1), index)),
  ]);
  const lines = server
    .output()
    .split('\n')
    .filter((line) => /"level":(40|50|60)/.test(line));
  row(
    `${MINUTES + FRESH_MINUTES} min of ${ORDERS} orders/s, ${CLIENTS} stream clients coming and going, ${POLLERS} REST pollers`,
    'no error',
    `${received} orders received in ${sessions} sessions, ${delays.rest.length} REST answers; ` +
      `${errors.length} errors${errors.length > 0 ? `: ${[...new Set(errors)].slice(0, 5).join('; ')}` : ''}; ` +
      `${lines.length} warnings or errors in the log${lines.length > 0 ? `: ${[...new Set(lines.map((line) => JSON.parse(line).event))].join(', ')}` : ''}`,
  );
  for (const [what, list] of Object.entries(delays)) {
    row(
      `latency, ${what}`,
      '-',
      `p50 ${quantile(list, 0.5).toFixed(1)} ms, p99 ${quantile(list, 0.99).toFixed(1)} ms, most ${quantile(list, 1).toFixed(0)} ms`,
    );
  }
  reportMemory(samples);
  if (errors.length > 0) process.exitCode = 1;
} finally {
  await finish();
}
