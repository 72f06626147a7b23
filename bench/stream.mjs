// Latency of the order stream: from the return of the rename until a client has the message. And a burst.
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WebSocket } from 'ws';
import { finish, KEYS, makeRoot, quantile, startServer, until } from './lib/world.mjs';
import { row } from './lib/report.mjs';

const RATES = [1, 50];
const SECONDS = 20;
const BURST = 30_000;

let placed = 0;

/** A position file with one new order, some 1 KB, written as the validator does. Its order uuid is the answer. */
function placeOrder(root) {
  placed += 1;
  const uuid = randomUUID();
  const hotkey = `stream-${placed % 200}`;
  const order = {
    order_type: 'LONG',
    leverage: 0.1,
    price: 100.5,
    bid: 100.4,
    ask: 100.6,
    slippage: 0.0001,
    processed_ms: Date.now(),
    order_uuid: uuid,
    price_sources: [
      { source: 'Polygon_rest', timespan_ms: 1000, open: 100.5, close: 100.5, start_ms: Date.now() },
    ],
    src: 0,
  };
  const position = {
    miner_hotkey: hotkey,
    position_uuid: uuid,
    open_ms: order.processed_ms,
    trade_pair: ['BTCUSD', 'BTC/USD', 0.003, 0.01, 0.5],
    orders: [order],
    current_return: 1.5,
    close_ms: null,
    net_leverage: 0.1,
    return_at_close: 1.5,
    average_entry_price: 100.5,
    cumulative_entry_value: 10.5,
    realized_pnl: 0.5,
    position_type: 'LONG',
    is_closed_position: false,
  };
  const aside = join(root, 'validation', 'tmp', uuid);
  const path = join(root, 'validation', 'miners', hotkey, 'positions', 'BTCUSD', 'open', uuid);
  mkdirSync(dirname(aside), { recursive: true });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(aside, JSON.stringify(position));
  renameSync(aside, path);
  return uuid;
}

async function connect(server) {
  const arrivedMs = new Map();
  const sequences = [];
  const line = server
    .output()
    .split('\n')
    .find((text) => text.includes('"event":"listening-ws"'));
  const { host, port } = JSON.parse(line);
  const socket = new WebSocket(`ws://${host}:${port}`);
  let isSubscribed = false;
  socket.on('open', () => {
    socket.send(JSON.stringify({ api_key: KEYS[100] }));
    socket.send(JSON.stringify({ type: 'subscribe', all: true }));
  });
  socket.on('message', (bytes) => {
    const nowMs = performance.now();
    const message = JSON.parse(bytes.toString());
    if (message.type === 'subscription_status') isSubscribed = true;
    for (const { sequence, data } of message.messages ?? (message.sequence === undefined ? [] : [message])) {
      sequences.push(sequence);
      arrivedMs.set(data.position.orders.at(-1).order_uuid, nowMs);
    }
  });
  await until(() => isSubscribed, 5000, 'the subscription');
  return { arrivedMs, sequences, close: () => socket.terminate() };
}

try {
  const root = await makeRoot({ miners: 16, positions: 6250, name: 'stream' });
  const server = await startServer(root);
  const client = await connect(server);
  for (const rate of RATES) {
    const sentMs = new Map();
    const startedMs = performance.now();
    for (let index = 0; index < rate * SECONDS; index++) {
      sentMs.set(placeOrder(root), performance.now());
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
  const startedMs = performance.now();
  const uuids = Array.from({ length: BURST }, () => placeOrder(root));
  const writtenMs = performance.now() - startedMs;
  await until(() => uuids.every((uuid) => client.arrivedMs.has(uuid)), 120_000, 'the burst');
  const isInOrder = client.sequences.every(
    (sequence, index) => index === 0 || sequence === client.sequences[index - 1] + 1,
  );
  row(
    `${BURST} orders in a burst, written in ${(writtenMs / 1000).toFixed(1)} s`,
    'all, once, in order',
    `${client.arrivedMs.size - RATES.reduce((sum, rate) => sum + rate * SECONDS, 0)} received, ${isInOrder ? 'without a hole' : 'OUT OF ORDER'}, the last ${((performance.now() - startedMs - writtenMs) / 1000).toFixed(1)} s after the last was written`,
  );
  client.close();
} finally {
  await finish();
}
