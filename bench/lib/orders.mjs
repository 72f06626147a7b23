// Orders as the validator writes them, and clients of the stream.
import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WebSocket } from 'ws';
import { KEYS, until } from './world.mjs';

/** How the names of the miners begin that orders are placed for. */
export const PLACED_MINER = 'stream-';

let placed = 0;

/** A position with one new order, whose uuid is the position's; its message has about `sizeBytes`, 1 KB at least. */
export function newPosition(sizeBytes = 0) {
  placed += 1;
  const uuid = randomUUID();
  const hotkey = `${PLACED_MINER}${placed % 200}`;
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
  order.note = 'x'.repeat(Math.max(0, sizeBytes - 1000));
  return {
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
}

/** Writes the file of a {@link newPosition} as the validator does. Its order uuid is the answer. */
export function placeOrder(root, sizeBytes = 0) {
  const position = newPosition(sizeBytes);
  const { position_uuid: uuid, miner_hotkey: hotkey } = position;
  const aside = join(root, 'validation', 'tmp', uuid);
  const path = join(root, 'validation', 'miners', hotkey, 'positions', 'BTCUSD', 'open', uuid);
  mkdirSync(dirname(aside), { recursive: true });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(aside, JSON.stringify(position));
  renameSync(aside, path);
  return uuid;
}

/** Where the server's stream is, from its log. */
export function streamUrl(server) {
  const line = server
    .output()
    .split('\n')
    .find((text) => text.includes('"event":"listening-ws"'));
  const { host, port } = JSON.parse(line);
  return `ws://${host}:${port}`;
}

/** The orders in a message of the server, in their order. */
export function ordersIn(message) {
  return message.messages ?? (message.sequence === undefined ? [] : [message]);
}

/** The order that a message of one order is about. */
export function uuidOf({ data }) {
  return data.position.orders.at(-1).order_uuid;
}

/**
 * A client that is subscribed, live, and keeps what comes: `{ arrivedMs: by order uuid, sequences, close }`.
 *
 * @param onOrder is given each order's message, and when it came.
 */
export async function connect(server, onOrder = () => undefined) {
  const arrivedMs = new Map();
  const sequences = [];
  const socket = new WebSocket(streamUrl(server));
  let isSubscribed = false;
  socket.on('open', () => {
    socket.send(JSON.stringify({ api_key: KEYS[100] }));
    socket.send(JSON.stringify({ type: 'subscribe', all: true }));
  });
  socket.on('message', (bytes) => {
    const nowMs = performance.now();
    const message = JSON.parse(bytes.toString());
    if (message.type === 'subscription_status') isSubscribed = true;
    for (const order of ordersIn(message)) {
      sequences.push(order.sequence);
      arrivedMs.set(uuidOf(order), nowMs);
      onOrder(order, nowMs);
    }
  });
  await until(() => isSubscribed, 5000, 'the subscription');
  return { arrivedMs, sequences, close: () => socket.terminate() };
}
