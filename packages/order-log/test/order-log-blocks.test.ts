import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { open } from 'lmdb';
import t from 'tap';
import type { Test } from 'tap';
import { encodeBlock } from '../dist/blocks.js';
import { checkLog } from '../dist/log-check.js';
import { encodeDelta } from '../dist/deltas.js';
import { openOrderLogReader } from '../dist/order-log-reader.js';
import { positionText } from '../dist/order-log.js';
import type { OrderEvent, OrderLogReader, PositionParts } from '../dist/order-log.js';
import {
  blockKey,
  deltaKey,
  encodeHeader,
  encodeMeta,
  encodeOrder,
  envelope,
  messageKey,
  META_KEY,
  orderKey,
  sealed,
} from '../dist/records.js';
import { logPath, openReader, openWriter, order } from './order-log-fixture.ts';

const NO_LIMITS = { maxAgeMs: Infinity, maxCount: Infinity, maxBytes: Infinity };
const SMALL_BLOCKS = { maxOrders: 7, maxBytes: 3_000, minOrders: 2 };

/** A position of orders with these texts, as it stood after so many of them. */
function position(positionUuid: string, texts: readonly string[], count = texts.length): PositionParts {
  const list = Buffer.from(texts.join(', '));
  const listBytes = Buffer.byteLength(texts.slice(0, count).join(', '));
  return {
    positionUuid,
    head: `{"uuid": "${positionUuid}", "orders": [`,
    list,
    listBytes,
    tail: `], "n": ${count}}`,
  };
}

function sent(sequence: number, event: OrderEvent): string {
  return `{"sequence":${sequence},"timestamp":${event.timestampMs},"data":{"position":${positionText(event.position)}}}`;
}

function texts(reader: OrderLogReader): string[] {
  return reader.read(0, 100_000).map(({ bytes }) => Buffer.from(bytes).toString());
}

function openRaw(path: string) {
  mkdirSync(path, { recursive: true });
  return open<Buffer, Uint8Array>(path, {
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
}

/** The record of a whole message, as format 1 wrote it. */
function encodeMessage(sequence: number, event: OrderEvent): Buffer {
  const { header, names } = encodeHeader(event, 0);
  const text = envelope(sequence, event.timestampMs).join(positionText(event.position));
  return sealed(messageKey(sequence), Buffer.concat([header, ...names, Buffer.from(text)]));
}

/** A log as release 0.1 wrote it. */
async function writeFormat1(path: string, events: readonly OrderEvent[]): Promise<void> {
  const environment = openRaw(path);
  const last = events.length;
  environment.transactionSync(() => {
    environment.putSync(META_KEY, encodeMeta({ version: 1, epoch: 'old', oldest: 1, last, lastAliveMs: 5 }));
    for (const [index, event] of events.entries()) {
      const key = orderKey(event.orderUuid);
      environment.putSync(key, encodeOrder(key, index + 1));
      environment.putSync(messageKey(index + 1), encodeMessage(index + 1, event));
    }
  });
  await environment.close();
  writeFileSync(join(path, 'high-water.json'), JSON.stringify({ epoch: 'old', last: 10_000 }));
}

type Step =
  | { readonly do: 'order'; readonly position: number; readonly burst: number; readonly size: number }
  | { readonly do: 'correct'; readonly position: number }
  | { readonly do: 'prune'; readonly maxCount: number; readonly maxBytes: number }
  | { readonly do: 'reopen' };

const index = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      position: index,
      burst: fc.integer({ min: 1, max: 5 }),
      size: fc.oneof(fc.nat(40), fc.integer({ min: 900, max: 6_000 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('correct' as const), position: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('prune' as const),
      maxCount: fc.nat(30),
      maxBytes: fc.oneof(fc.constant(Infinity), fc.nat(20_000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);

void t.test('what is read is what whole messages would have been, whatever happens', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 3 }),
      async (steps, isStale, oldOrders) => {
        const path = logPath(t);
        const expected = new Map<number, string>();
        let last = 0;
        const old = Array.from({ length: oldOrders }, (_, n) =>
          order(`old-${n}`, { position: `{"old": ${n}}` }),
        );
        if (oldOrders > 0) await writeFormat1(path, old);
        for (const event of old) expected.set(++last, sent(last, event));
        let { writer } = await openWriter(path, 0, { blockLimits: SMALL_BLOCKS });
        let reader = openOrderLogReader({ path });
        const orders: string[][] = [[], [], [], []];
        const corrections = [0, 0, 0, 0];
        for (const action of steps) {
          if (action.do === 'order') {
            const list = orders[action.position] ?? [];
            const from = list.length;
            for (let n = 0; n < action.burst; n++)
              list.push(
                `{"ü": ${from + n}, "v": ${corrections[action.position]}, "x": "${'x'.repeat(action.size)}"}`,
              );
            // One reading for all of them, as the feed makes it.
            const whole = position(`p${action.position}`, list);
            const events = Array.from({ length: action.burst }, (_, n) => {
              const parts = position(`p${action.position}`, list, from + n + 1);
              return order(`${action.position}-${from + n}`, { position: { ...parts, list: whole.list } });
            });
            await writer.append(events);
            for (const event of events) expected.set(++last, sent(last, event));
          } else if (action.do === 'correct') {
            corrections[action.position] = (corrections[action.position] ?? 0) + 1;
            const list = orders[action.position] ?? [];
            if (list.length > 0) list[list.length - 1] = `{"corrected": ${corrections[action.position]}}`;
          } else if (action.do === 'prune') {
            const before = writer.state().oldest;
            const { oldest } = await writer.prune(2_000, { ...NO_LIMITS, ...action });
            t.ok(oldest >= Math.max(before, last - action.maxCount + 1));
            for (const sequence of expected.keys()) if (sequence < oldest) expected.delete(sequence);
          } else {
            await writer.close();
            t.strictSame(await checkLog(path), { result: 'sound', isEmpty: false });
            ({ writer } = await openWriter(path, 0, { blockLimits: SMALL_BLOCKS }));
          }
          if (!isStale) {
            await reader.close();
            reader = openOrderLogReader({ path });
          }
          t.strictSame(texts(reader), [...expected.values()]);
        }
        t.strictSame(writer.state().last, last);
        await Promise.all([reader.close(), writer.close()]);
        t.strictSame(await checkLog(path), { result: 'sound', isEmpty: false });
      },
    ),
    { numRuns: 25 },
  );
});

/** 200 orders of one position, one after another. */
async function grownLog(t: Test): Promise<{ path: string; wholeBytes: number }> {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  const list = Array.from({ length: 200 }, (_, n) => `{"n": ${n}, "x": "${'x'.repeat(1_000)}"}`);
  let wholeBytes = 0;
  for (let count = 1; count <= list.length; count++) {
    const parts = position('p', list.slice(0, count));
    wholeBytes += positionText(parts).length;
    await writer.append([order(`order-${count}`, { position: parts })]);
  }
  await writer.close();
  return { path, wholeBytes };
}

void t.test('what the messages of a position share is stored once', async (t) => {
  const { path, wholeBytes } = await grownLog(t);
  const environment = openRaw(path);
  let storedBytes = 0;
  for (const { value } of environment.getRange({})) storedBytes += value.length;
  await environment.close();
  t.ok(storedBytes < 200 * 1_400, `${storedBytes} bytes`);
  t.ok(wholeBytes > 50 * storedBytes);
  t.equal(texts(openReader(t, path)).length, 200);
});

void t.test('a log of format 1 is read, continued and pruned', async (t) => {
  const path = logPath(t);
  const old = Array.from({ length: 10 }, (_, n) => order(`old-${n}`, { timestampMs: n }));
  await writeFormat1(path, old);
  const before = openOrderLogReader({ path });
  t.strictSame(
    texts(before),
    old.map((event, n) => sent(n + 1, event)),
    'before a writer opens it',
  );
  const names = { orderUuid: 'old-3', hotkey: 'miner-ä', tradePairId: 'BTCUSD', timestampMs: 3 };
  t.strictSame(before.orders(3, 1), [{ sequence: 4, ...names }]);
  await before.close();
  const { writer, lines } = await openWriter(path);
  t.strictSame(lines, []);
  t.match(writer.state(), { epoch: 'old', oldest: 1, last: 10 });
  t.equal(writer.lastAliveMs, 5);
  t.equal(writer.isKnown('old-3'), true);
  t.strictSame(
    writer.ordersSince(8).map(({ orderUuid }) => orderUuid),
    ['old-9', 'old-8'],
  );
  const events = [1, 2].map((count) =>
    order(`new-${count}`, { position: position('p', ['{"a"}', '{"b"}'], count) }),
  );
  await writer.append(events);
  const reader = openOrderLogReader({ path });
  const all = [...old, ...events].map((event, n) => sent(n + 1, event));
  t.strictSame(texts(reader), all);
  t.match(await writer.prune(13, { ...NO_LIMITS, maxAgeMs: 10 }), { oldest: 4, last: 12 });
  t.strictSame(texts(reader), all.slice(3));
  t.match(await writer.prune(0, { ...NO_LIMITS, maxCount: 2 }), { oldest: 11 });
  t.strictSame(texts(reader), all.slice(10));
  await Promise.all([reader.close(), writer.close()]);
  const meta = openRaw(path);
  t.match(meta.getBinary(META_KEY)?.toString() ?? '', /"version":2/, 'which older software refuses');
  t.equal(meta.getBinary(messageKey(5)), undefined);
  await meta.close();
});

void t.test('a limit by bytes removes whole blocks, and never the one that is written', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path, 0, { blockLimits: { ...SMALL_BLOCKS, maxBytes: 1e9 } });
  for (let n = 0; n < 17; n++)
    await writer.append([order(`order-${n}`, { position: `"${'x'.repeat(900)}"` })]);
  t.match(await writer.prune(1_000, { ...NO_LIMITS, maxBytes: 12_000 }), { oldest: 8, last: 17 });
  t.match(await writer.prune(1_000, { ...NO_LIMITS, maxBytes: 1 }), { oldest: 15, last: 17 });
  t.equal(texts(openReader(t, path)).length, 3);
  await writer.close();
  t.strictSame(await checkLog(path), { result: 'sound', isEmpty: false });
});

void t.test('an append that fails leaves nothing for the next one to go on from', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  const list = ['{"a": 1}', '{"b": 2}'];
  const first = order('first', { position: position('p', list, 1) });
  await writer.append([order('zero')]);
  await t.rejects(writer.append([first, order('')]), { name: 'RangeError' });
  const second = order('second', { position: position('p', list) });
  await writer.append([second]);
  t.equal(texts(openReader(t, path))[1], sent(2, second));
  await writer.close();
  t.strictSame(await checkLog(path), { result: 'sound', isEmpty: false });
});

void t.test('what does not fit together is damage', async (t) => {
  const changes: [string, (environment: ReturnType<typeof openRaw>) => void][] = [
    [
      'a base of another length',
      (log) => {
        log.putSync(
          deltaKey(200),
          encodeDelta(200, order('x', { position: position('p', ['{"abcdef"}']) }), {
            sequence: 199,
            bytes: 5,
          }),
        );
      },
    ],
    [
      'a base behind the message',
      (log) => {
        log.putSync(
          deltaKey(50),
          encodeDelta(50, order('x', { position: position('p', ['{"abcdef"}']) }), {
            sequence: 60,
            bytes: 5,
          }),
        );
      },
    ],
    [
      'a base in another block',
      (log) => {
        log.putSync(blockKey(1), encodeBlock({ start: 1, count: 100, bytes: 1, newestMs: 1 }));
        log.putSync(blockKey(101), encodeBlock({ start: 101, count: 100, bytes: 1, newestMs: 1 }));
      },
    ],
    ['a block too few', (log) => log.removeSync(blockKey(1))],
    [
      'a block too long',
      (log) => {
        log.putSync(blockKey(1), encodeBlock({ start: 1, count: 300, bytes: 1, newestMs: 1 }));
      },
    ],
    ['a message too few', (log) => log.removeSync(deltaKey(77))],
  ];
  const { path } = await grownLog(t);
  const whole = readFileSync(join(path, 'data.mdb'));
  for (const [what, change] of changes) {
    writeFileSync(join(path, 'data.mdb'), whole);
    const environment = openRaw(path);
    environment.transactionSync(() => {
      change(environment);
    });
    await environment.close();
    t.match(await checkLog(path), { result: 'damaged' }, what);
    if (!what.includes('message')) continue;
    const reader = openOrderLogReader({ path });
    t.throws(() => reader.read(199, 1), { name: 'OrderLogDamagedError' }, what);
    await reader.close();
  }
});

void t.test('reading ends with the message that reaches the bytes, and gives at least one', async (t) => {
  const { path } = await grownLog(t);
  const reader = openReader(t, path);
  t.equal(reader.read(0, 1_000, 1).length, 1);
  const some = reader.read(100, 1_000, 500_000);
  const sizes = some.map(({ bytes }) => bytes.byteLength);
  const sum = sizes.reduce((total, size) => total + size, 0);
  t.ok(sum >= 500_000 && sum - (sizes.at(-1) ?? 0) < 500_000);
});
