import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { openOrderLogReader } from '../dist/order-log-reader.js';
import { logPath, openReader, openWriter, order, orders } from './order-log-fixture.ts';

function sequences(messages: readonly { readonly sequence: number }[]): number[] {
  return messages.map(({ sequence }) => sequence);
}

void t.test('a new log numbers from the one after startAfter', async (t) => {
  const { writer } = await openWriter(logPath(t), 41);
  t.equal(writer.isNew, true);
  t.equal(writer.lastAliveMs, null);
  t.match(writer.state(), { oldest: 42, last: 41 });
  t.match(await writer.append([order('a')]), { oldest: 42, last: 42 });
  await writer.close();
});

void t.test('startAfter counts in a log that is there where it is larger, and is said', async (t) => {
  const path = logPath(t);
  const first = await openWriter(path, 5);
  await first.writer.append([order('a')]);
  await first.writer.markAlive(77);
  const { epoch } = first.writer.state();
  await first.writer.close();
  const lower = await openWriter(path, 5);
  t.match(lower.writer.state(), { oldest: 6, last: 6 });
  t.same(lower.lines, []);
  await lower.writer.close();
  const { writer, lines } = await openWriter(path, 500);
  t.equal(writer.isNew, false);
  t.equal(writer.lastAliveMs, 77);
  t.match(lines, [{ event: 'sequence-taken-over', last: 6, python: 500, level: 40 }]);
  t.strictSame(writer.state(), { epoch, oldest: 501, last: 500 }, 'a gap, and no other log');
  t.ok(writer.isKnown('a'), 'what was streamed is not streamed again');
  t.match(await writer.append([order('a'), order('b')]), { last: 501 });
  await writer.close();
  const again = await openWriter(path, 500);
  t.match(again.writer.state(), { oldest: 501, last: 501 });
  await again.writer.close();
  const readable = openReader(t, path);
  t.strictSame(sequences(readable.read(0, 10)), [501]);
});

void t.test('numbers beyond 2^32 are kept and read in order', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path, 2 ** 32 - 2);
  await writer.append(orders('a', 4));
  const reader = openReader(t, path);
  t.strictSame(
    sequences(reader.read(0, 10)),
    [-1, 0, 1, 2].map((offset) => 2 ** 32 + offset),
  );
  await writer.close();
});

void t.test('a message is what clients are sent, with what it is filtered by', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  const position = '{"net_leverage": 0.10,"orders":[{"order_uuid":"a","ü":1e-05}]}';
  await writer.append([order('a', { timestampMs: 1_700_000_000_123, position })]);
  const [message] = openReader(t, path).read(0, 1);
  t.match(message, { sequence: 1, hotkey: 'miner-ä', tradePairId: 'BTCUSD', timestampMs: 1_700_000_000_123 });
  t.equal(
    Buffer.from(message?.bytes ?? []).toString(),
    `{"sequence":1,"timestamp":1700000000123,"data":{"position":${position}}}`,
  );
  await writer.close();
});

void t.test(
  'an order is appended once, though it comes twice, in one call or in two, or after a restart',
  async (t) => {
    const path = logPath(t);
    const first = await openWriter(path);
    t.match(await first.writer.append([order('a'), order('b'), order('a')]), { last: 2 });
    t.match(await first.writer.append([order('b'), order('c')]), { last: 3 });
    await first.writer.close();
    const { writer } = await openWriter(path);
    t.match(await writer.append(orders('a', 1).concat(order('a'), order('c'))), { last: 4 });
    await writer.close();
  },
);

void t.test('a remembered order is known and never streamed', async (t) => {
  const path = logPath(t);
  const first = await openWriter(path);
  await first.writer.append([order('a')]);
  await first.writer.remember(['a', 'b']);
  await first.writer.close();
  const { writer } = await openWriter(path);
  t.strictSame(
    ['a', 'b', 'c'].map((uuid) => writer.isKnown(uuid)),
    [true, true, false],
  );
  t.match(await writer.append([order('a'), order('b')]), { last: 1 });
  await writer.close();
});

void t.test('an append with an impossible order appends nothing', async (t) => {
  const { writer } = await openWriter(logPath(t));
  await t.rejects(writer.append([order('a'), order('')]), { name: 'RangeError' });
  await t.rejects(writer.append([order('b'), order('x'.repeat(1_001))]), { name: 'RangeError' });
  t.equal(writer.isKnown('a'), false);
  t.match(writer.state(), { oldest: 1, last: 0 });
  t.match(await writer.append([order('a')]), { last: 1 });
  await writer.close();
});

void t.test('read gives at most the limit, above the number it is given', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  await writer.append(orders('a', 10));
  const reader = openReader(t, path);
  t.strictSame(sequences(reader.read(-1, 3)), [1, 2, 3]);
  t.strictSame(sequences(reader.read(3, 3)), [4, 5, 6]);
  t.strictSame(sequences(reader.read(8, 100)), [9, 10]);
  t.strictSame(reader.read(10, 100), []);
  t.strictSame(reader.read(99, 100), []);
  t.strictSame(reader.read(0, 0), []);
  await writer.close();
});

void t.test('pruning removes what is too old', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  for (const timestampMs of [100, 200, 300])
    await writer.append([order(`at-${timestampMs}`, { timestampMs })]);
  t.match(await writer.prune(1_200, { maxAgeMs: 1_000, maxCount: 10, maxBytes: Infinity }), {
    oldest: 2,
    last: 3,
  });
  t.strictSame(sequences(openReader(t, path).read(0, 10)), [2, 3]);
  await writer.close();
});

void t.test('pruning removes what is too much, over several commits', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  await writer.append(orders('a', 12_000));
  t.match(await writer.prune(1_000, { maxAgeMs: 1_000, maxCount: 5, maxBytes: Infinity }), {
    oldest: 11_996,
    last: 12_000,
  });
  t.strictSame(sequences(openReader(t, path).read(0, 10)), [11_996, 11_997, 11_998, 11_999, 12_000]);
  await writer.close();
});

void t.test('a log that was pruned to nothing goes on numbering, and still knows its orders', async (t) => {
  const path = logPath(t);
  const first = await openWriter(path);
  await first.writer.append(orders('a', 3));
  t.match(await first.writer.prune(9_999, { maxAgeMs: 1, maxCount: 10, maxBytes: Infinity }), {
    oldest: 4,
    last: 3,
  });
  await first.writer.close();
  const { writer, lines } = await openWriter(path);
  t.strictSame(lines, []);
  t.equal(writer.isKnown('a-0'), true);
  t.match(await writer.append([order('b')]), { oldest: 4, last: 4 });
  await writer.close();
});

void t.test('a reader of no log is told so, and makes none', async (t) => {
  const path = logPath(t);
  t.throws(() => openOrderLogReader({ path }), { name: 'OrderLogMissingError' });
  const { writer } = await openWriter(path);
  t.equal(writer.isNew, true);
  await writer.close();
});

void t.test(
  'what appends, remembers, prunes and restarts come to is what a list and a set come to',
  async (t) => {
    type Step =
      | { readonly do: 'append'; readonly uuids: readonly string[] }
      | { readonly do: 'remember'; readonly uuids: readonly string[] }
      | { readonly do: 'prune'; readonly maxCount: number }
      | { readonly do: 'reopen' };
    const uuids = fc.array(fc.integer({ min: 0, max: 40 }).map(String), { maxLength: 6 });
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 8, arbitrary: uuids.map((list): Step => ({ do: 'append', uuids: list })) },
      { weight: 2, arbitrary: uuids.map((list): Step => ({ do: 'remember', uuids: list })) },
      { weight: 3, arbitrary: fc.nat(8).map((maxCount): Step => ({ do: 'prune', maxCount })) },
      { weight: 1, arbitrary: fc.constant<Step>({ do: 'reopen' }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const path = logPath(t);
        let { writer } = await openWriter(path);
        const reader = openOrderLogReader({ path });
        const known = new Set<string>();
        let kept: { sequence: number; uuid: string }[] = [];
        let last = 0;
        for (const action of steps) {
          if (action.do === 'append') {
            for (const uuid of action.uuids) {
              if (known.has(uuid)) continue;
              known.add(uuid);
              kept.push({ sequence: ++last, uuid });
            }
            await writer.append(action.uuids.map((uuid) => order(uuid)));
          } else if (action.do === 'remember') {
            action.uuids.forEach((uuid) => known.add(uuid));
            await writer.remember(action.uuids);
          } else if (action.do === 'prune') {
            kept = action.maxCount === 0 ? [] : kept.slice(-action.maxCount);
            await writer.prune(1_000, { maxAgeMs: 1_000, maxCount: action.maxCount, maxBytes: Infinity });
          } else {
            await writer.close();
            ({ writer } = await openWriter(path));
          }
          const oldest = kept[0]?.sequence ?? last + 1;
          t.match(writer.state(), { oldest, last });
          t.strictSame(reader.state(), writer.state());
          t.strictSame(
            reader.read(0, 1_000).map(({ sequence, bytes }) => [sequence, Buffer.from(bytes).toString()]),
            kept.map(({ sequence, uuid }) => [
              sequence,
              `{"sequence":${sequence},"timestamp":1000,"data":{"position":{"position_uuid":"of ${uuid}"}}}`,
            ]),
          );
        }
        for (let uuid = 0; uuid <= 40; uuid++) t.equal(writer.isKnown(String(uuid)), known.has(String(uuid)));
        await Promise.all([reader.close(), writer.close()]);
      }),
      { numRuns: 15 },
    );
  },
);

void t.test('messages keep their bytes when the log changes after they were read', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path);
  const position = JSON.stringify('long '.repeat(20_000));
  await writer.append([order('a', { position })]);
  const [message] = openReader(t, path).read(0, 1);
  const before = Buffer.from(message?.bytes ?? []).toString();
  await writer.prune(1_000, { maxAgeMs: 1_000, maxCount: 0, maxBytes: Infinity });
  for (const event of orders('b', 10, { position: JSON.stringify('other'.repeat(20_000)) }))
    await writer.append([event]);
  t.equal(before, `{"sequence":1,"timestamp":1000,"data":{"position":${position}}}`);
  t.equal(Buffer.from(message?.bytes ?? []).toString(), before);
  await writer.close();
});

void t.test('a log whose folder was removed uses no number again', async (t) => {
  const path = logPath(t);
  const first = await openWriter(path);
  const { last } = await first.writer.append(orders('a', 20));
  const { epoch } = first.writer.state();
  await first.writer.close();
  rmSync(path, { recursive: true });
  const { writer, lines } = await openWriter(path);
  t.match(lines, [{ event: 'order-log-damaged', level: 50 }]);
  t.ok(writer.state().last >= last);
  t.not(writer.state().epoch, epoch);
  await writer.close();
});

void t.test('the mark of a release that kept it in the folder counts where it is higher', async (t) => {
  const path = logPath(t);
  const first = await openWriter(path);
  await first.writer.append(orders('a', 3));
  const { epoch } = first.writer.state();
  await first.writer.close();
  const old = JSON.stringify({ epoch, last: 70_000 });
  rmSync(`${path}.high-water.json`);
  writeFileSync(join(path, 'high-water.json'), old);
  rmSync(join(path, 'data.mdb'));
  const { writer } = await openWriter(path);
  t.equal(writer.state().last, 70_000);
  await writer.close();
  t.same([existsSync(join(path, 'high-water.json')), existsSync(`${path}.high-water.json`)], [false, true]);
});

void t.test('orders are found by the time at which they became available', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path, 10);
  const reader = openReader(t, path);
  t.equal(reader.before(0), 10, 'an empty log');
  for (let index = 0; index < 50; index++)
    await writer.append([order(`a-${index}`, { timestampMs: 1000 + index * 10 })]);
  t.same(
    [0, 1000, 1001, 1010, 1490, 1491, 9e9].map((ms) => reader.before(ms)),
    [10, 10, 11, 11, 59, 60, 60],
  );
  await writer.close();
});

void t.test('orders are read one by one, and by their names alone', async (t) => {
  const path = logPath(t);
  const { writer } = await openWriter(path, 10);
  const reader = openReader(t, path);
  const placed = Array.from({ length: 10 }, (_, n) =>
    order(`a-${n}`, { hotkey: `m${n % 3}`, tradePairId: n % 2 ? 'BTCUSD' : 'ETHUSD', timestampMs: 1000 + n }),
  );
  await writer.append(placed);
  const numbers = (sequences: readonly number[], maxBytes?: number) =>
    reader.readEach(sequences, maxBytes).map(({ sequence }) => sequence);
  t.strictSame(numbers([11, 14, 20]), [11, 14, 20]);
  t.strictSame(numbers([12, 13, 14], 1), [12], 'none behind the one that reaches the bytes');
  t.strictSame(reader.readEach([15]), reader.read(14, 1));
  t.strictSame(
    reader.orders(12, 2),
    [2, 3].map((n) => {
      const { orderUuid, hotkey, tradePairId, timestampMs } = placed[n] ?? order('');
      return { sequence: 11 + n, hotkey, tradePairId, orderUuid, timestampMs };
    }),
  );
  t.strictSame(reader.orders(20, 5), []);
  await writer.prune(1005, { maxAgeMs: 0, maxCount: Infinity, maxBytes: Infinity });
  const { oldest } = reader.state();
  t.equal(oldest, 16);
  t.strictSame(numbers([11, 15, 16, 20]), [16, 20], 'those that are gone are left out');
  t.equal(reader.orders(0, 3)[0]?.sequence, 16);
  t.throws(() => reader.readEach([21]), { name: 'OrderLogDamagedError', message: /order 21 is missing/ });
  await writer.close();
});
