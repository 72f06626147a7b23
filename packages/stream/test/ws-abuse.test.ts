/** What a client may do by mistake or on purpose; the others must notice nothing of it. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import type { Client, RunningStream, StreamOptions } from './ws-fixture.ts';
import { grant, KEY, MemoryLog, range, serve, until } from './ws-fixture.ts';

const OTHER_KEY = 'key-other';

interface Watched extends RunningStream {
  /** Appends an order and waits until the client that does nothing wrong has it, and no order but those. */
  readonly othersAreServed: (t: Test) => Promise<void>;
}

async function watched(t: Test, options: StreamOptions = {}): Promise<Watched> {
  const log = new MemoryLog();
  const stream = await serve(t, { log, grants: [grant(KEY, 100), grant(OTHER_KEY, 100)], ...options });
  const other = await stream.client({ api_key: OTHER_KEY });
  await other.subscribe();
  return {
    ...stream,
    othersAreServed: async (t) => {
      log.append({});
      stream.streams.ordersChanged();
      const { last } = log.state();
      await other.until(() => other.sequences().length === last);
      t.strictSame(other.sequences(), range(1, last), 'the other client has every order');
      t.equal(other.closeCode, undefined);
    },
  };
}

function sendInFragments(client: Client, parts: readonly string[]): void {
  parts.forEach((part, index) => {
    client.socket.send(part, { fin: index === parts.length - 1 });
  });
}

await t.test('fragmented messages are put together, and no larger than others', async (t) => {
  const { client, othersAreServed } = await watched(t);
  const fragmenting = await client();
  const count = fragmenting.received.length;
  sendInFragments(fragmenting, ['{"type":', '"ping","time', 'stamp":7}']);
  await fragmenting.until(() => fragmenting.received.length > count);
  t.match(fragmenting.received.at(-1), { type: 'pong', client_timestamp: 7 });
  sendInFragments(
    fragmenting,
    Array.from({ length: 20 }, () => ' '.repeat(4096)),
  );
  t.equal(await fragmenting.closed(), 1009);
  await othersAreServed(t);
});

await t.test('deep and hostile JSON is answered like any other', async (t) => {
  const { client, othersAreServed } = await watched(t);
  const hostile = await client();
  t.match(await hostile.ask('['.repeat(60_000)), { type: 'error', code: 'PTN_ERR_WS_BAD_JSON' });
  t.match(await hostile.ask(`${'['.repeat(30_000)}${']'.repeat(30_000)}`), {
    type: 'error',
    code: 'PTN_ERR_WS_NOT_OBJECT',
  });
  t.match(await hostile.ask('{"__proto__":{"type":"ping"}}'), {
    type: 'error',
    code: 'PTN_ERR_WS_UNKNOWN_TYPE',
  });
  t.match(await hostile.ask('{"type":"__proto__"}'), { type: 'error', code: 'PTN_ERR_WS_UNKNOWN_TYPE' });
  t.match(await hostile.ask('{"type":"subscribe","__proto__":{"all":true}}'), {
    type: 'error',
    code: 'PTN_ERR_WS_BAD_SUBSCRIBE',
  });
  t.equal(Object.hasOwn(Object.prototype, 'type'), false);
  await othersAreServed(t);
});

await t.test('2,000 changes of the subscription at once are all answered, in order', async (t) => {
  const { client, othersAreServed } = await watched(t);
  const restless = await client();
  const count = restless.received.length;
  for (let index = 0; index < 1000; index++) {
    restless.send({ type: 'subscribe', all: true, sender_timestamp: index });
    restless.send({ type: 'unsubscribe', all: true });
  }
  await othersAreServed(t);
  await restless.until(() => restless.received.filter(({ type }) => type !== undefined).length >= 2000);
  const statuses = restless.received.slice(count).filter(({ type }) => type === 'subscription_status');
  t.equal(statuses.length, 2000);
  t.ok(statuses.every(({ action }, index) => action === (index % 2 === 0 ? 'subscribe' : 'unsubscribe')));
  t.equal(restless.closeCode, undefined);
});

await t.test('a flood of pings of both kinds delays nobody', async (t) => {
  const { client, othersAreServed } = await watched(t);
  const flooding = await client();
  let pongs = 0;
  flooding.socket.on('pong', () => (pongs += 1));
  for (let index = 0; index < 2000; index++) {
    flooding.socket.ping();
    flooding.send({ type: 'ping', timestamp: index });
  }
  await othersAreServed(t);
  await until(() => pongs === 2000);
  await flooding.until(() => flooding.received.filter(({ type }) => type === 'pong').length === 2000);
  await othersAreServed(t);
});

await t.test('a second authentication changes nothing', async (t) => {
  const { client, othersAreServed } = await watched(t);
  const twice = await client();
  await twice.subscribe();
  t.match(await twice.ask({ api_key: 'wrong' }), { type: 'error', code: 'PTN_ERR_WS_UNKNOWN_TYPE' });
  await othersAreServed(t);
  await twice.until(() => twice.sequences().length === 1);
});

/** A connection that speaks by hand; resolves when its handshake is answered. */
async function upgradedByHand(port: number): Promise<ReturnType<typeof connect>> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.write(
    'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  await once(socket, 'data');
  return socket.resume();
}

await t.test('a connection of which the client has closed its half is ended', async (t) => {
  const { port, streams, othersAreServed } = await watched(t);
  const socket = await upgradedByHand(port);
  t.equal(streams.openCount, 2);
  const closed = once(socket, 'close');
  socket.end();
  await until(() => streams.openCount === 1);
  await closed;
  await othersAreServed(t);
});

await t.test('2,000 connections at once that say nothing: all are taken, and let go in time', async (t) => {
  const { port, streams, othersAreServed } = await watched(t, {
    limits: { authenticationMs: 2000, closingMs: 200, checkMs: 50 },
  });
  // Listened for from its handshake on: the first may be let go before the last has come.
  const taken = await Promise.all(
    Array.from({ length: 2000 }, async () => ({ closed: once(await upgradedByHand(port), 'close') })),
  );
  await othersAreServed(t);
  await until(() => streams.openCount === 1);
  await Promise.all(taken.map(({ closed }) => closed));
  await othersAreServed(t);
});

await t.test('a clock that is set back or forward by a day ends and delays nothing', async (t) => {
  let nowMs = Date.now();
  const limits = { pingMs: 50, pongMs: 50, stallMs: 200, checkMs: 10, authenticationMs: 100 };
  const { client, connect: open, othersAreServed } = await watched(t, { now: () => nowMs, limits });
  const quiet = await client();
  let pings = 0;
  quiet.socket.on('ping', () => (pings += 1));
  for (const byMs of [-86_400_000, 172_800_000]) {
    nowMs += byMs;
    const before = pings;
    const silent = await open();
    t.equal(await silent.closed(), 4001, 'who does not authenticate is still found');
    await until(() => pings > before + 1);
    await othersAreServed(t);
  }
  t.equal(quiet.closeCode, undefined);
});
