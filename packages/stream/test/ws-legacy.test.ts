/** Clients as they are: those that know nothing of epochs, slow ones, and programs that share a key. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import type { ConnectionsTransaction } from '../dist/connection-registry.js';
import { grant, KEY, MemoryLog, range, serve, until } from './ws-fixture.ts';
import type { Client, RunningStream } from './ws-fixture.ts';

const MINUTE_MS = 60_000;
const NOW = 1_760_000_000_000;

function oldAndNew(): MemoryLog {
  const log = new MemoryLog(100);
  log.appendMany(200, { timestampMs: NOW - 60 * MINUTE_MS });
  log.appendMany(50, { timestampMs: NOW - 14 * MINUTE_MS });
  return log;
}

const batchSizes = (client: Client): number[] =>
  client.received.filter(({ type }) => type === 'batch').map(({ count }) => count as number);

await t.test(
  'without an epoch the orders of the last 15 minutes are replayed, 16 in a message',
  async (t) => {
    const log = oldAndNew();
    const { client, streams } = await serve(t, {
      log,
      now: () => NOW,
      limits: { legacyReplayMs: 15 * MINUTE_MS },
    });
    const legacy = await client({ last_sequence: 150 });
    t.match(await legacy.subscribe(), { skipped: { from: 151, to: 300 } });
    await legacy.until(() => legacy.sequences().at(-1) === 350);
    log.appendMany(40, { timestampMs: NOW });
    streams.ordersChanged();
    await legacy.until(() => legacy.sequences().at(-1) === 390);
    t.strictSame(legacy.sequences(), range(301, 390));
    t.ok(Math.max(...batchSizes(legacy)) <= 16);

    const recent = await client({ last_sequence: 320 });
    t.notOk('skipped' in (await recent.subscribe()));
    await recent.until(() => recent.sequences().at(-1) === 390);
    t.strictSame(recent.sequences(), range(321, 390));

    // Older than the log: what is lost is said first, as ever.
    const lost = await client({ last_sequence: 20 });
    t.match(await lost.subscribe(), { skipped: { from: 101, to: 300 } });
    await lost.until(() => lost.sequences().at(-1) === 390);
    t.match(
      lost.received.find(({ type }) => type === 'gap'),
      { from: 21, to: 100 },
    );
    t.strictSame(lost.sequences(), range(301, 390));
  },
);

await t.test('with an epoch, known or not, everything is replayed', async (t) => {
  const { client } = await serve(t, { log: oldAndNew(), now: () => NOW, limits: { legacyReplayMs: 0 } });
  for (const epoch of ['epoch-1', null]) {
    const own = await client({ last_sequence: 150, epoch });
    t.notOk('skipped' in (await own.subscribe()));
    await own.until(() => own.sequences().at(-1) === 350);
    t.strictSame(own.sequences(), range(151, 350));
    t.ok(Math.max(...batchSizes(own)) > 16);
  }
  const none = await client({ last_sequence: 150 });
  t.match(await none.subscribe(), { skipped: { from: 151, to: 350 } });
  t.match(await none.ask({ type: 'ping' }), { type: 'pong' });
  t.strictSame(none.sequences(), [], 'and to others nothing, where that is asked for');
});

/** A client that takes `chunkBytes` every `everyMs` and answers pings when it has read them. */
async function slowClient(
  t: Test,
  port: number,
  {
    chunkBytes,
    everyMs,
    answersPings = true,
  }: { chunkBytes: number; everyMs: number; answersPings?: boolean },
) {
  const state = {
    sequences: [] as number[],
    closeCode: undefined as number | undefined,
    isClosed: false,
    pongs: 0,
    ping: (): void => {
      send(9, Buffer.of());
    },
  };
  let pending = Buffer.alloc(0);
  let isOpen = false;
  let timer: NodeJS.Timeout | undefined;
  const send = (opcode: number, payload: Buffer): void => {
    socket.write(Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  };
  const read = (data: Buffer): void => {
    pending = Buffer.concat([pending, data]);
    if (!isOpen) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      isOpen = true;
      pending = pending.subarray(end + 4);
      send(1, Buffer.from(JSON.stringify({ api_key: KEY, last_sequence: 0, epoch: null })));
      send(1, Buffer.from('{"type":"subscribe","all":true}'));
    }
    for (;;) {
      const short = (pending[1] ?? 0) & 0x7f;
      const start = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (pending.length < start) return;
      const size =
        short === 126 ? pending.readUInt16BE(2) : short === 127 ? Number(pending.readBigUInt64BE(2)) : short;
      if (pending.length < start + size) return;
      const payload = pending.subarray(start, start + size);
      const opcode = (pending[0] ?? 0) & 0xf;
      if (opcode === 9 && answersPings) send(10, payload);
      if (opcode === 10) state.pongs += 1;
      if (opcode === 8) state.closeCode = payload.readUInt16BE();
      if (opcode === 1)
        state.sequences.push(
          ...[...payload.toString().matchAll(/"sequence":(\d+)/g)].map(([, n]) => Number(n)),
        );
      pending = pending.subarray(start + size);
    }
  };
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.alloc(chunkBytes),
      callback: (count: number, buffer: Uint8Array) => {
        read(Buffer.from(buffer.subarray(0, count)));
        timer = setTimeout(() => socket.resume(), everyMs);
        return false;
      },
    },
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => (state.isClosed = true));
  t.teardown(() => {
    clearTimeout(timer);
    socket.destroy();
  });
  await once(socket, 'connect');
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  return state;
}

const SOME = { content: JSON.stringify({ text: 'x'.repeat(2000) }) };

await t.test('a client that reads slowly and steadily is kept, and gets everything', async (t) => {
  const log = new MemoryLog();
  log.appendMany(400, SOME);
  // All in all it takes several times as long as nothing may be taken.
  const limits = {
    pingMs: 20,
    pongMs: 40,
    stallMs: 700,
    checkMs: 5,
    maxUnreadBytes: 64 * 1024,
  };
  const { port, streams } = await serve(t, { log, limits });
  const slow = await slowClient(t, port, { chunkBytes: 2048, everyMs: 6 });
  await until(() => streams.openCount === 1);
  await waitUntil(() => slow.sequences.length === 400 || slow.isClosed);
  t.equal(slow.closeCode, undefined);
  t.strictSame(slow.sequences, range(1, 400));
});

await t.test(
  'a slow client that asks for a sign of life has it in seconds, however much waits',
  async (t) => {
    const log = new MemoryLog();
    log.appendMany(400, SOME);
    const { port } = await serve(t, { log });
    // 20 KB/s: a quarter of a megabyte would take 13 s.
    const slow = await slowClient(t, port, { chunkBytes: 2048, everyMs: 100 });
    await waitUntil(() => slow.sequences.length >= 20);
    const askedMs = performance.now();
    slow.ping();
    await waitUntil(() => slow.pongs === 1);
    const waitedMs = performance.now() - askedMs;
    t.ok(waitedMs < 8000, `waited for ${waitedMs} ms`);
    t.equal(slow.isClosed, false);
  },
);

await t.test('no more than a window is under way to a client that answers nothing', async (t) => {
  const log = new MemoryLog();
  log.appendMany(1000, SOME);
  const { port, logged } = await serve(t, { log, limits: { stallMs: 300, checkMs: 5 } });
  const deaf = await slowClient(t, port, { chunkBytes: 65_536, everyMs: 0, answersPings: false });
  await waitUntil(() => deaf.isClosed);
  t.equal(deaf.closeCode, 4008);
  t.ok(deaf.sequences.length * 2000 < 600_000, `${deaf.sequences.length} orders were sent`);
  t.ok(logged.some((line) => line.includes('"ws-too-slow"')));
});

async function waitUntil(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('waited for 60 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Opens connections of one key, as programs that reconnect whenever they are evicted, until one is refused. */
async function fight(
  workers: readonly RunningStream[],
  most: number,
): Promise<{ refused: Client; opened: number }> {
  for (let opened = 0; opened < most; opened += 1) {
    const client = await (workers[opened % workers.length] as RunningStream).client();
    if (client.received[0]?.['status'] === 'error') return { refused: client, opened };
  }
  throw new Error(`none of ${most} connections was refused`);
}

for (const count of [1, 2]) {
  await t.test(
    `programs that evict each other over ${count} worker(s) are refused for a while`,
    async (t) => {
      const workers: RunningStream[] = [];
      const publish = (transaction: ConnectionsTransaction): void => {
        setImmediate(() => {
          for (const worker of workers) worker.streams.connectionsChanged(transaction);
        });
      };
      const grants = [grant(KEY, 100), grant('another', 100)];
      for (let pid = 1; pid <= count; pid += 1) workers.push(await serve(t, { pid, publish, grants }));
      const { refused, opened } = await fight(workers, 60);
      t.ok(opened >= 15, `${opened} were taken first: reconnecting is allowed`);
      t.equal(await refused.closed(), 4505);
      t.match(refused.received[0], { code: 'PTN_ERR_WS_CROWDED', message: /evict each other.* in \d+ s/ });
      const again = await (workers[0] as RunningStream).client();
      t.equal(await again.closed(), 4505);
      const warned = workers.flatMap(({ logged }) =>
        logged.filter((line) => line.includes('evict-each-other')),
      );
      t.ok(warned.length >= 1 && warned.length <= count, 'warned once in each worker that refuses');
      t.match(warned[0], `"user_id":"user-${KEY}"`);
      await until(() => workers.reduce((sum, { streams }) => sum + streams.openCount, 0) === 5);
      t.match(
        await (await (workers[0] as RunningStream).client({ api_key: 'another' })).ask({ type: 'ping' }),
        {
          type: 'pong',
        },
      );
    },
  );
}
