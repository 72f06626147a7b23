// Latency of the order stream, from the return of the rename until a client has the message; and bursts.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect, placeOrder, PLACED_MINER } from './lib/orders.mjs';
import {
  finish,
  KEYS,
  makeRoot,
  memoryMb,
  processTree,
  quantile,
  roleOf,
  startServer,
  until,
} from './lib/world.mjs';
import { row } from './lib/report.mjs';

const RATES = [1, 50];
const SECONDS = 20;
const BURST = 30_000;
const BURSTS = 4;
const PLACED_AT_ONCE = 500;

/** Places orders at each rate, and prints how long they take to the client from `clock(before, after placing)` on. */
async function measureDelays(client, place) {
  for (const rate of RATES) {
    const sentMs = new Map();
    const startedMs = performance.now();
    for (let index = 0; index < rate * SECONDS; index++) {
      const uuid = place();
      sentMs.set(uuid, performance.now());
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, startedMs + ((index + 1) * 1000) / rate - performance.now())),
      );
    }
    await until(() => [...sentMs.keys()].every((uuid) => client.arrivedMs.has(uuid)), 10_000, 'all orders');
    const delays = [...sentMs].map(([uuid, ms]) => client.arrivedMs.get(uuid) - ms);
    row(
      `rename until received, ${rate} orders/s for ${SECONDS} s`,
      'p50 <= 8 ms, p99 <= 50 ms',
      `p50 ${quantile(delays, 0.5).toFixed(1)} ms, p99 ${quantile(delays, 0.99).toFixed(1)} ms`,
    );
  }
}

async function measureBurst(what, client, place) {
  const before = client.arrivedMs.size;
  const startedMs = performance.now();
  const uuids = [];
  while (uuids.length < BURST) {
    for (let index = 0; index < PLACED_AT_ONCE; index++) uuids.push(place());
    // The client is in this process: it has to answer pings however slowly files are written.
    await new Promise((resolve) => setTimeout(resolve));
  }
  const writtenMs = performance.now() - startedMs;
  await until(() => uuids.every((uuid) => client.arrivedMs.has(uuid)), 120_000, 'the burst');
  const lastMs = performance.now() - startedMs - writtenMs;
  const isInOrder = client.sequences.every(
    (sequence, index) => index === 0 || sequence === client.sequences[index - 1] + 1,
  );
  row(
    `${BURST} orders in a burst${what}, written in ${(writtenMs / 1000).toFixed(1)} s`,
    'all, once, in order',
    `${client.arrivedMs.size - before} received, ${isInOrder ? 'without a hole' : 'OUT OF ORDER'}, the last ${(lastMs / 1000).toFixed(1)} s after the last was written`,
  );
}

/** Takes away the miners of {@link placeOrder}. */
function removePlaced(root) {
  const miners = join(root, 'validation', 'miners');
  for (const name of readdirSync(miners)) {
    if (name.startsWith(PLACED_MINER)) rmSync(join(miners, name), { recursive: true });
  }
}

async function noPlacedLeft(server) {
  const ask = async () => {
    const response = await fetch(`${server.url}/miner-hotkeys`, {
      headers: { Authorization: `Bearer ${KEYS[100]}` },
    });
    return (await response.json()).some((hotkey) => hotkey.startsWith(PLACED_MINER));
  };
  await until(async () => !(await ask()), 60_000, 'the removed miners are gone from the answers');
}

function memoryByRole(server) {
  return Object.fromEntries(
    processTree(server.pid).map(({ pid, command }) => [roleOf(command), Math.round(memoryMb(pid).own)]),
  );
}

/** The least that each process has within 20 s: what is garbage is collected at some time. */
async function settledMemory(server) {
  const least = memoryByRole(server);
  for (let second = 0; second < 20; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    for (const [role, size] of Object.entries(memoryByRole(server)))
      least[role] = Math.min(least[role], size);
  }
  return least;
}

try {
  const root = await makeRoot({ miners: 16, positions: 6250, name: 'stream' });
  const server = await startServer(root, ['--rest-workers', '1']);
  const client = await connect(server);
  const rename = () => placeOrder(root);
  await measureDelays(client, rename);
  const sizes = [memoryByRole(server)];
  for (let burst = 1; burst <= BURSTS; burst++) {
    await measureBurst(burst === 1 ? '' : ', once more', client, rename);
    removePlaced(root);
    await noPlacedLeft(server);
    sizes.push(await settledMemory(server));
  }
  row(
    `memory before ${BURSTS} bursts of ${BURST} orders, and after each, when their files are gone`,
    'as after the first',
    Object.keys(sizes[0])
      .map((role) => `${role} ${sizes.map((size) => size[role]).join(' ')} MB`)
      .join(', '),
  );
  client.close();
} finally {
  await finish();
}
