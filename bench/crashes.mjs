// Kills processes of the server at random moments while orders are placed, and sees what resuming clients end up with.
// Options: --seed=1 --orders=10000 --rate=200 --clients=20 --kills=70
import { once } from 'node:events';
import { createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PtnStreamClient } from '@ptn-api/client';
import { WebSocket } from 'ws';
import { ordersIn, placeOrder, uuidOf } from './lib/orders.mjs';
import { row } from './lib/report.mjs';
import { finish, makeRoot, processTree, roleOf, startServer, until } from './lib/world.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    orders: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '200' },
    clients: { type: 'string', default: '20' },
    kills: { type: 'string', default: '70' },
  },
});
const [SEED, ORDERS, RATE, CLIENTS, KILLS] = ['seed', 'orders', 'rate', 'clients', 'kills'].map((name) =>
  Number(values[name]),
);
/** As many as may connect with one key. */
const CLIENTS_PER_KEY = 5;
/** How often each role is hit, of 20. */
const WEIGHTS = { feed: 7, ws: 7, rest: 4, supervisor: 2 };
const ROLES = Object.entries(WEIGHTS).flatMap(([role, weight]) => Array(weight).fill(role));
const SETTLE_MS = 180_000;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A client that comes back after every end of its connection, from the last order that it has. */
class ResumingClient {
  orders = [];
  refusals = [];
  connections = 0;
  #url;
  #key;
  #epoch;
  #isOver = false;
  #socket;

  constructor(url, key) {
    this.#url = url;
    this.#key = key;
    this.#connect();
  }

  stop() {
    this.#isOver = true;
    this.#socket.terminate();
  }

  #connect() {
    const socket = (this.#socket = new WebSocket(this.#url));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      if (!this.#isOver) setTimeout(() => this.#connect(), 20 + Math.random() * 200);
    });
    socket.on('open', () => {
      this.connections += 1;
      const last = this.orders.at(-1)?.sequence ?? 0;
      socket.send(
        JSON.stringify({
          api_key: this.#key,
          last_sequence: last,
          ...(this.#epoch && { epoch: this.#epoch }),
        }),
      );
    });
    socket.on('message', (bytes) => {
      const message = JSON.parse(bytes.toString());
      if (message.status === 'success' && message.type === undefined) {
        this.#epoch ??= message.epoch;
        socket.send(JSON.stringify({ type: 'subscribe', all: true }));
      } else if (message.status === 'error' || message.type === 'gap' || message.resumed === false) {
        this.refusals.push(bytes.toString());
      }
      for (const order of ordersIn(message)) {
        this.orders.push({ sequence: order.sequence, uuid: uuidOf(order) });
      }
    });
  }
}

/** The same with the client of this project. */
class SdkClient {
  orders = [];
  refusals = [];
  connections = 0;
  #client;

  constructor(url, key) {
    this.#client = new PtnStreamClient({
      apiKey: key,
      url,
      start: { sequence: 0, epoch: null },
      onOrders: (orders) => {
        for (const { sequence, message } of orders) this.orders.push({ sequence, uuid: uuidOf(message) });
      },
      onGap: (gap) => this.refusals.push(JSON.stringify(gap)),
      onState: (state) => {
        if (state === 'subscribed') this.connections += 1;
        if (state === 'failed') this.refusals.push('the client gave up');
      },
    });
    void this.#client.start();
  }

  stop() {
    void this.#client.stop();
  }
}

/** The server, started again whenever it has ended, as pm2 or systemd would. */
class KeptServer {
  starts = 0;
  current;
  #root;
  #ports;
  #isOver = false;

  constructor(root, ports) {
    this.#root = root;
    this.#ports = ports;
  }

  async run() {
    while (!this.#isOver) {
      this.starts += 1;
      try {
        this.current = await startServer(this.#root, ['--rest-workers', '2'], this.#ports);
      } catch (error) {
        // A worker was killed while it started, which ends the start. Nothing else may.
        if (!/the server ended with/.test(error.message)) throw error;
        continue;
      }
      await this.current.exited;
    }
  }

  stop() {
    this.#isOver = true;
  }
}

/** Kills one process of the role, if there is one now. */
function kill(server, role) {
  if (server === undefined) return false;
  const processes = processTree(server.pid).filter(
    ({ command }) => command !== '' && roleOf(command) === role,
  );
  const [victim] = processes;
  if (victim === undefined) return false;
  try {
    process.kill(victim.pid, 'SIGKILL');
    return true;
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
    return false;
  }
}

/** What is wrong with what a client has; nothing if it is all orders, each once, in order, without a hole. */
function faultOf({ orders }, placed, like) {
  if (orders.length !== placed.size) return `${orders.length} orders`;
  if (orders.some(({ sequence }, index) => sequence !== index + 1)) return 'a hole, or out of order';
  if (new Set(orders.map(({ uuid }) => uuid)).size !== placed.size) return 'an order twice';
  if (orders.some(({ uuid }) => !placed.has(uuid))) return 'an order that nobody placed';
  if (orders.some(({ uuid }, index) => uuid !== like.orders[index].uuid))
    return 'another order than the others';
  return undefined;
}

try {
  delete process.env.PTN_BENCH_ROOT;
  const root = await makeRoot({ miners: 16, positions: 640, name: 'crashes' });
  const keys = Array.from(
    { length: Math.ceil(CLIENTS / CLIENTS_PER_KEY) },
    (_, index) => `crash-key-${index}`,
  );
  writeFileSync(
    join(root, 'ptn_api', 'api_keys.json'),
    JSON.stringify(Object.fromEntries(keys.map((key) => [key, { key, tier: 100 }]))),
    { mode: 0o600 },
  );
  const ports = { restPort: await freePort(), wsPort: await freePort() };
  const kept = new KeptServer(root, ports);
  const running = kept.run();
  await until(() => kept.current, 30_000, 'the first start');
  const clients = Array.from(
    { length: CLIENTS },
    (_, index) =>
      new (index % 2 === 0 ? ResumingClient : SdkClient)(
        `ws://127.0.0.1:${ports.wsPort}`,
        keys[index % keys.length],
      ),
  );
  await until(() => clients.every(({ connections }) => connections > 0), 10_000, 'all clients');

  const random = randomOf(SEED);
  const kills = Object.fromEntries(Object.keys(WEIGHTS).map((role) => [role, 0]));
  let killed = 0;
  let isPlacing = true;
  const meanMs = ((ORDERS / RATE) * 1000) / KILLS;
  const killing = (async () => {
    while (isPlacing || killed < KILLS) {
      await new Promise((resolve) => setTimeout(resolve, random() * 2 * meanMs));
      const role = ROLES[Math.floor(random() * ROLES.length)];
      if (!kill(kept.current, role)) continue;
      kills[role] += 1;
      killed += 1;
    }
  })();
  const placed = new Set();
  const startedMs = performance.now();
  for (let index = 0; index < ORDERS; index++) {
    placed.add(placeOrder(root));
    const waitMs = startedMs + ((index + 1) * 1000) / RATE - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  isPlacing = false;
  await killing;
  const endedMs = performance.now();
  await until(
    () => clients.every(({ orders }) => orders.length >= placed.size),
    SETTLE_MS,
    `all orders at all clients: ${clients.map(({ orders }) => orders.length)} of ${placed.size}`,
  );
  const settledMs = performance.now() - endedMs;
  const faults = clients.map((client) => faultOf(client, placed, clients[0])).filter(Boolean);
  const refusals = clients.flatMap((client) => client.refusals);
  for (const client of clients) client.stop();
  kept.stop();
  await kept.current.stop();
  await running;
  const connections = clients.reduce((sum, client) => sum + client.connections, 0);
  row(
    `seed ${SEED}: ${ORDERS} orders at ${RATE}/s, ${CLIENTS} resuming clients, half of them the SDK's, ${killed} kills (${Object.entries(
      kills,
    )
      .map(([role, count]) => `${role} ${count}`)
      .join(', ')})`,
    'every client: every order, once, in order, no hole',
    faults.length === 0 && refusals.length === 0
      ? `all ${CLIENTS}, over ${connections} connections and ${kept.starts} starts; complete ${(settledMs / 1000).toFixed(1)} s after the last kill`
      : `FAULTS: ${[...new Set([...faults, ...refusals])].join('; ')}`,
  );
  if (faults.length > 0 || refusals.length > 0) process.exitCode = 1;
} finally {
  await finish();
}
