// A start after an outage: the orders of many hours are there at once, of miners that each traded at the most that the
// validator allows. How long until the server is ready, until all is streamed, and what it takes.
// Options: --hours=10 --miners=256 --per-second=43 --pairs=6 --position-orders=100
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { rebuildPosition } from '../packages/positions/dist/index.js';
import { newPosition, placeOrder, streamUrl } from './lib/orders.mjs';
import { row } from './lib/report.mjs';
import {
  finish,
  KEYS,
  makeRoot,
  ownMemoryMb,
  processTree,
  roleOf,
  startServer,
  until,
} from './lib/world.mjs';

const { values } = parseArgs({
  options: Object.fromEntries(
    Object.entries({
      hours: '10',
      miners: '256',
      'per-second': '43',
      pairs: '6',
      'position-orders': '100',
    }).map(([name, fallback]) => [name, { type: 'string', default: fallback }]),
  ),
});
const [HOURS, MINERS, PER_SECOND, PAIRS, MAX_ORDERS] = Object.values(values).map(Number);
const RETENTION_COUNT = 1_000_000;
const PAIR_IDS = [
  'BTCUSD',
  'ETHUSD',
  'SOLUSD',
  'XRPUSD',
  'DOGEUSD',
  'EURUSD',
  'GBPUSD',
  'USDJPY',
  'AUDUSD',
  'USDCAD',
];

/** Writes what the miners did, and gives how many orders and bytes that is. */
function writeBacklog(root, fromMs, toMs) {
  const [template] = newPosition().orders;
  const gapMs = (1000 * MINERS) / PER_SECOND;
  let orders = 0;
  let bytes = 0;
  for (let miner = 0; miner < MINERS; miner++) {
    const open = new Map();
    let turn = 0;
    const write = (pair, list, isClosed) => {
      const uuid = list[0].order_uuid.replace('order', 'position');
      const identity = {
        miner_hotkey: `busy-${miner}`,
        position_uuid: uuid,
        trade_pair: [pair, pair, 0.003, 0.01, 0.5],
      };
      const text = JSON.stringify(rebuildPosition(identity, list))
        .replaceAll('":', '": ')
        .replaceAll(',"', ', "')
        .replaceAll('},{', '}, {');
      const folder = join(
        root,
        'validation/miners',
        `busy-${miner}`,
        'positions',
        pair,
        isClosed ? 'closed' : 'open',
      );
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, uuid), text);
      bytes += text.length;
    };
    for (let timeMs = fromMs + (miner * gapMs) / MINERS; timeMs < toMs; timeMs += gapMs) {
      const pair = PAIR_IDS[turn++ % PAIRS];
      const list = open.get(pair) ?? [];
      const isLast = list.length === MAX_ORDERS - 1;
      list.push({
        ...template,
        order_type: isLast ? 'FLAT' : list.length % 2 === 0 ? 'LONG' : 'SHORT',
        leverage: isLast ? 0 : list.length % 2 === 0 ? 0.1 : -0.05,
        processed_ms: Math.floor(timeMs),
        order_uuid: `order-${miner}-${turn}-0123456789abcdef`,
      });
      orders += 1;
      open.set(pair, isLast ? [] : list);
      if (isLast) write(pair, list, true);
    }
    for (const [pair, list] of open) if (list.length > 0) write(pair, list, false);
  }
  return { orders, bytes };
}

function ordersSince(root, sinceMs) {
  const base = join(root, 'validation/miners');
  let count = 0;
  for (const entry of readdirSync(base, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const { orders } = JSON.parse(readFileSync(join(entry.parentPath, entry.name), 'utf8'));
    count += orders.filter(({ processed_ms: timeMs }) => timeMs >= sinceMs).length;
  }
  return count;
}

/** A client from `since` on that counts, and checks that nothing is missing or doubled. */
function follow(server, since) {
  const client = { count: 0, bytes: 0, last: since, faults: [], gaps: [], newest: null, socket: null };
  const socket = new WebSocket(streamUrl(server), { maxPayload: 2 ** 30 });
  client.socket = socket;
  socket.on('open', () => {
    socket.send(JSON.stringify({ api_key: KEYS[100], last_sequence: since }));
    socket.send(JSON.stringify({ type: 'subscribe', all: true }));
  });
  socket.on('message', (data) => {
    client.bytes += data.length;
    const text = data.toString();
    if (text.startsWith('{"type":"gap"')) {
      const { from, to } = JSON.parse(text);
      client.gaps.push(to - from + 1);
      client.last = to;
      return;
    }
    if (!text.startsWith('{"sequence"') && !text.startsWith('{"type":"batch"')) return;
    for (const [, sequence] of text.matchAll(/\{"sequence":(\d+),"timestamp":/g)) {
      if (Number(sequence) !== client.last + 1) client.faults.push(`${client.last} then ${sequence}`);
      client.last = Number(sequence);
      client.count += 1;
    }
    if (client.onMessage) client.onMessage(text);
  });
  socket.on('close', () => (client.isClosed = true));
  return client;
}

try {
  const root = await makeRoot({ miners: 4, positions: 40, name: 'backlog' });
  // A first start: what is there now is history. The backlog is older than its end, so it has to be told.
  const first = await startServer(root, ['--rest-workers', '1']);
  await first.stop();
  const dataFile = join(root, '.ptn-api/orders/data.mdb');
  const nowMs = Date.now();
  const fromMs = nowMs - HOURS * 3_600_000;
  const { open } = await import('lmdb');
  const { META_KEY, decodeMeta, encodeMeta } = await import('../packages/order-log/dist/records.js');
  const log = open(join(root, '.ptn-api/orders'), {
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  // As if that server had ended when the outage began.
  const meta = decodeMeta(log.getBinary(META_KEY));
  await log.transaction(() => log.putSync(META_KEY, encodeMeta({ ...meta, lastAliveMs: fromMs - 1000 })));
  await log.close();
  // Of the others' history, what is as new.
  const earlier = ordersSince(root, fromMs - 1000);
  const backlog = writeBacklog(root, fromMs, nowMs);
  backlog.orders += earlier;
  const emptyBytes = statSync(dataFile).size;

  const peaks = {};
  const server = await startServer(root, ['--rest-workers', '1']);
  const readyAtMs = performance.now();
  const sampling = setInterval(() => {
    for (const { pid, command } of processTree(server.pid)) {
      try {
        const role = roleOf(command);
        peaks[role] = Math.max(peaks[role] ?? 0, ownMemoryMb(pid));
      } catch (error) {
        if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
      }
    }
  }, 500);
  const client = follow(server, 0);
  let waitedMs = 0;
  const asked = setInterval(async () => {
    const startedMs = performance.now();
    await fetch(`${server.url}/healthz`).then((response) => response.text());
    waitedMs = Math.max(waitedMs, performance.now() - startedMs);
  }, 250);
  await until(
    () => client.last >= backlog.orders || client.isClosed,
    Math.max(120_000, backlog.orders * 3),
    `${backlog.orders} orders, ${client.count} came`,
  );
  const streamedS = (performance.now() - readyAtMs) / 1000;
  const uuid = placeOrder(root);
  const placedMs = performance.now();
  await until(() => client.last > backlog.orders, 60_000, `the order ${uuid} that is placed then`);
  const liveMs = performance.now() - placedMs;
  clearInterval(asked);
  clearInterval(sampling);
  const restarts = server.output().split('"event":"worker-exit"').length - 1;
  const diskBytes = statSync(dataFile).blocks * 512 - emptyBytes;
  client.socket.terminate();
  await once(client.socket, 'close');
  const isWhole =
    client.faults.length === 0 &&
    client.count + client.gaps.reduce((sum, gap) => sum + gap, 0) === backlog.orders + 1;
  row(
    `a backlog of ${backlog.orders} orders in ${(backlog.bytes / 1e6).toFixed(0)} MB, ${HOURS} h of ${MINERS} miners, at a start`,
    'ready in time, all streamed once',
    `ready after ${(server.readyMs / 1000).toFixed(1)} s; the last at a client ${streamedS.toFixed(1)} s later ` +
      `(${Math.round(backlog.orders / streamedS)}/s, ${(client.bytes / 1e9).toFixed(1)} GB sent); ` +
      `${isWhole ? 'each once, in order' : `FAULT: ${client.count} came, ${client.faults.slice(0, 3).join(', ')}`}` +
      `${client.gaps.length > 0 ? `, gaps of ${client.gaps.join(', ')} beyond the ${RETENTION_COUNT} that are kept` : ''}; ` +
      `an order placed then ${Math.round(liveMs)} ms; /healthz at most ${Math.round(waitedMs)} ms; ` +
      `workers that ended ${restarts}; ${Math.round(diskBytes / backlog.orders)} bytes an order on disk; own memory ` +
      Object.entries(peaks)
        .map(([role, mb]) => `${role} ${Math.round(mb)} MB`)
        .join(', '),
  );
  if (!isWhole || restarts > 0) process.exitCode = 1;
} finally {
  await finish();
}
