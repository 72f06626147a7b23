import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { isTerminalCloseCode } from '@ptn-api/protocol';
import type { ConnectionsTransaction } from '../dist/connection-registry.js';
import type { RunningStream } from './ws-fixture.js';
import { grant, KEY, MemoryLog, range, serve, until } from './ws-fixture.ts';

await t.test('a first message that is no authentication: told why, closed for good', async (t) => {
  const { connect } = await serve(t);
  const cases: readonly (readonly [unknown, string])[] = [
    ['hello', 'PTN_ERR_WS_AUTH_NOT_JSON'],
    ['', 'PTN_ERR_WS_AUTH_NOT_JSON'],
    ['"api_key"', 'PTN_ERR_WS_AUTH_NOT_OBJECT'],
    ['null', 'PTN_ERR_WS_AUTH_NOT_OBJECT'],
    [['api_key'], 'PTN_ERR_WS_AUTH_NOT_OBJECT'],
    [{ api_key: KEY, last_sequence: '3' }, 'PTN_ERR_WS_AUTH_BAD_RESUME'],
    [{ api_key: KEY, last_sequence: 1.5 }, 'PTN_ERR_WS_AUTH_BAD_RESUME'],
    [{ api_key: KEY, last_sequence: 1, epoch: 5 }, 'PTN_ERR_WS_AUTH_BAD_RESUME'],
    ['{"api_key":'.repeat(300), 'PTN_ERR_WS_AUTH_NOT_JSON'],
  ];
  for (const [message, code] of cases) {
    const client = await connect();
    t.match(await client.ask(message), { status: 'error', code, message: String });
    t.ok(isTerminalCloseCode(await client.closed()), code);
  }
  const inherited = await connect();
  t.match(await inherited.ask(`{"__proto__":{"api_key":"${KEY}"}}`), { message: /^Authentication required/ });
});

await t.test('a message that is not understood: told why, and the connection stays', async (t) => {
  const { client } = await serve(t);
  const session = await client();
  const cases: readonly (readonly [unknown, string])[] = [
    ['not json', 'PTN_ERR_WS_BAD_JSON'],
    [Buffer.from([0xff, 0xfe]), 'PTN_ERR_WS_BAD_JSON'],
    ['['.repeat(30_000) + ']'.repeat(30_000), 'PTN_ERR_WS_NOT_OBJECT'],
    [{ type: 'nope' }, 'PTN_ERR_WS_UNKNOWN_TYPE'],
    [{ type: 'toString' }, 'PTN_ERR_WS_UNKNOWN_TYPE'],
    ['{"__proto__":{"type":"ping"}}', 'PTN_ERR_WS_UNKNOWN_TYPE'],
    [{ api_key: KEY }, 'PTN_ERR_WS_UNKNOWN_TYPE'],
    [{ type: 'subscribe' }, 'PTN_ERR_WS_BAD_SUBSCRIBE'],
    [{ type: 'subscribe', trade_pairs: [] }, 'PTN_ERR_WS_BAD_FILTER'],
    [{ type: 'subscribe', miner_hotkeys: [5] }, 'PTN_ERR_WS_BAD_FILTER'],
    [{ type: 'subscribe', trade_pairs: 'BTCUSD' }, 'PTN_ERR_WS_BAD_FILTER'],
    [{ type: 'unsubscribe' }, 'PTN_ERR_WS_BAD_UNSUBSCRIBE'],
  ];
  for (const [message, code] of cases) t.match(await session.ask(message), { type: 'error', code });
  const deep = `{"type":"ping","timestamp":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
  t.match(await session.ask(deep), { type: 'pong', client_timestamp: 0 });
});

await t.test('sizes: 4 KiB before authentication, 64 KiB after', async (t) => {
  const { connect, client } = await serve(t);
  const first = await connect();
  first.send({ api_key: KEY, padding: 'x'.repeat(4096) });
  t.equal(await first.closed(), 1009);
  const session = await client();
  const padding = 'x'.repeat(64 * 1024 - 64);
  t.match(await session.ask({ type: 'ping', timestamp: 1, padding }), { type: 'pong' });
  session.send({ type: 'ping', padding: 'x'.repeat(64 * 1024) });
  t.equal(await session.closed(), 1009);
});

await t.test('who does not authenticate in time is closed and may come again', async (t) => {
  const { connect } = await serve(t, { limits: { authenticationMs: 50, checkMs: 10 } });
  const silent = await connect();
  t.equal(await silent.closed(), 4001);
  t.match(silent.received, [{ code: 'PTN_ERR_WS_AUTH_TIMEOUT' }]);
});

await t.test('a quiet client is pinged, and kept while it answers', async (t) => {
  const { client } = await serve(t, { limits: { pingMs: 20, pongMs: 500, checkMs: 5 } });
  const session = await client();
  let pings = 0;
  session.socket.on('ping', () => (pings += 1));
  await until(() => pings >= 5);
  t.match(await session.ask({ type: 'ping' }), { type: 'pong' });
});

await t.test('a client that answers no ping is cut', async (t) => {
  const { client } = await serve(t, { limits: { pingMs: 20, pongMs: 30, checkMs: 5 } });
  const session = await client();
  session.socket.pong = () => undefined;
  t.equal(await session.closed(), 1006);
});

await t.test('a ping of the client is answered', async (t) => {
  const { client } = await serve(t);
  const session = await client();
  const answered = once(session.socket, 'pong');
  session.socket.ping('abc');
  const [payload] = (await answered) as [Buffer];
  t.equal(payload.toString(), 'abc');
});

const LARGE = { content: JSON.stringify({ text: 'x'.repeat(100_000) }) };

await t.test('a slow reader delays nobody, and goes on from its cursor when it reads again', async (t) => {
  const log = new MemoryLog();
  const { client, streams } = await serve(t, { log });
  const [slow, fast] = [await client(), await client()];
  await slow.subscribe();
  await fast.subscribe();
  slow.socket.pause();
  for (let order = 1; order <= 300; order++) {
    log.append(LARGE);
    streams.ordersChanged();
    if (order % 20 === 0) await fast.until(() => fast.sequences().at(-1) === order);
  }
  t.strictSame(fast.sequences(), range(1, 300));
  slow.socket.resume();
  await slow.until(() => slow.sequences().at(-1) === 300);
  t.strictSame(slow.sequences(), range(1, 300));
});

await t.test('a reader that takes nothing for too long is closed with 4008', async (t) => {
  const log = new MemoryLog();
  const { client, streams, logged } = await serve(t, { log, limits: { stallMs: 100, checkMs: 10 } });
  const stuck = await client();
  await stuck.subscribe();
  stuck.socket.pause();
  log.appendMany(400, LARGE);
  streams.ordersChanged();
  // What is queued lies before the closing; it is sent when the client reads again.
  await until(() => logged.some((line) => line.includes('"ws-too-slow"')));
  stuck.socket.resume();
  t.equal(await stuck.closed(), 4008);
  t.match(stuck.closeReason, /Nothing was read/);
  await until(() => logged.some((line) => line.includes('"closeCode":4008')));
});

await t.test('the sixth connection of a key takes the place of the oldest', async (t) => {
  const { client } = await serve(t, { grants: [grant(KEY, 100), grant('two', 100, { maxConnections: 2 })] });
  const six = [];
  for (let index = 0; index < 6; index++) six.push(await client());
  t.equal(await six[0]?.closed(), 4504);
  t.match(six[0]?.received.at(-1), { status: 'error', code: 'MAX_CONNECTIONS_EXCEEDED' });
  for (const other of six.slice(1)) t.match(await other.ask({ type: 'ping' }), { type: 'pong' });
  const own = [
    await client({ api_key: 'two' }),
    await client({ api_key: 'two' }),
    await client({ api_key: 'two' }),
  ];
  t.equal(await own[0]?.closed(), 4504);
  t.match(await own[1]?.ask({ type: 'ping' }), { type: 'pong' });
});

await t.test('the limit holds over two workers: the owner ends the oldest', async (t) => {
  const workers: RunningStream[] = [];
  // As the supervisor: everybody is reported, the sender too, and later.
  const publish = (transaction: ConnectionsTransaction) => {
    setImmediate(() => {
      for (const worker of workers) worker.streams.connectionsChanged(transaction);
    });
  };
  const [one, two] = [await serve(t, { pid: 1, publish }), await serve(t, { pid: 2, publish })];
  workers.push(one, two);
  const clients = [];
  for (let index = 0; index < 7; index++) clients.push(await (index % 2 === 0 ? one : two).client());
  t.equal(await clients[0]?.closed(), 4504);
  t.equal(await clients[1]?.closed(), 4504);
  for (const other of clients.slice(2)) t.match(await other.ask({ type: 'ping' }), { type: 'pong' });
  clients[2]?.socket.close();
  await until(() => one.streams.openCount === 2);
  await one.client();
  for (const other of clients.slice(3)) t.match(await other.ask({ type: 'ping' }), { type: 'pong' });
});

await t.test('keys: removed, below tier 100, expired or with a lower limit', async (t) => {
  let nowMs = 1000;
  const more = [grant('low', 100), grant('old', 100, { expiresMs: 2000 }), grant('many', 100)];
  const stream = await serve(t, {
    grants: [grant(KEY, 100), ...more],
    now: () => nowMs,
    limits: { checkMs: 20 },
  });
  const removed = await stream.client();
  const lowered = await stream.client({ api_key: 'low' });
  const expiring = await stream.client({ api_key: 'old' });
  const [first, second] = [
    await stream.client({ api_key: 'many' }),
    await stream.client({ api_key: 'many' }),
  ];
  stream.keys.replace([
    grant('low', 50),
    grant('old', 100, { expiresMs: 2000 }),
    grant('many', 100, { maxConnections: 1 }),
  ]);
  stream.streams.keysChanged();
  t.equal(await removed.closed(), 4503);
  t.equal(await lowered.closed(), 4502);
  t.equal(await first.closed(), 4504);
  t.match(await expiring.ask({ type: 'ping' }), { type: 'pong' });
  nowMs = 2000;
  t.equal(await expiring.closed(), 4503);
  t.match(await second.ask({ type: 'ping' }), { type: 'pong' });
});

await t.test('drained: what is queued, the notice, then 1001', async (t) => {
  const log = new MemoryLog();
  const { client, streams, connect } = await serve(t, { log });
  const subscribed = await client();
  const silent = await connect();
  await subscribed.subscribe();
  log.appendMany(3);
  streams.ordersChanged();
  await streams.drain(5000);
  t.equal(streams.openCount, 0);
  t.equal(await subscribed.closed(), 1001);
  t.equal(await silent.closed(), 1001);
  t.strictSame(subscribed.sequences(), [1, 2, 3]);
  t.match(subscribed.received.at(-1), { type: 'serverShutdown' });
});

await t.test('drained: a client that does not read is cut at the deadline', async (t) => {
  const log = new MemoryLog();
  const { client, streams } = await serve(t, { log });
  const stuck = await client();
  await stuck.subscribe();
  stuck.socket.pause();
  // More than the system takes for a client that reads nothing.
  log.append({ content: JSON.stringify({ text: 'x'.repeat(16_000_000) }) });
  streams.ordersChanged();
  await until(() => log.readCount > 0);
  await streams.drain(100);
  await until(() => streams.openCount === 0);
  stuck.socket.resume();
  t.equal(await stuck.closed(), 1006);
});

await t.test('plain HTTP: told what the port speaks', async (t) => {
  const { port } = await serve(t);
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const answer = await text(socket);
  t.match(answer, /^HTTP\/1\.1 426 /);
  t.match(answer, /speaks WebSocket only/);
});

await t.test('no key is ever logged', async (t) => {
  const { client, connect, logged } = await serve(t);
  await client();
  await (await connect()).ask({ api_key: 'secret-wrong-key' });
  t.ok(logged.length > 0);
  t.notOk(logged.some((line) => line.includes('"key-tier100"') || line.includes('secret-wrong-key')));
});

await t.test('who sends without reading the answers is not listened to until it reads', async (t) => {
  const { client } = await serve(t, { limits: { messagesPerSecond: 1e9 } });
  const flood = await client();
  const echo = 'x'.repeat(60_000);
  flood.socket.pause();
  for (let message = 0; message < 400; message++) flood.send({ type: 'ping', timestamp: echo });
  // 24 MB of answers: the server takes no more messages than it has room for the answers to.
  let unsent = -1;
  while (unsent !== flood.socket.bufferedAmount) {
    unsent = flood.socket.bufferedAmount;
    await delay(100);
  }
  t.ok(unsent > 0, `${unsent} bytes were not taken`);
  flood.socket.resume();
  await flood.until(() => flood.received.length === 401);
});
