import fc from 'fast-check';
import t from 'tap';
import type { LoggedOrder, OrderMessage } from '../../order-log/dist/order-log.js';
import { OrderLogCursor } from '../dist/order-log-cursor.js';
import type { NextPart } from '../dist/order-log-cursor.js';
import { orderFilter } from '../dist/order-filter.js';
import type { OrderFilter } from '../dist/order-filter.js';
import { MemoryLog } from './ws-fixture.ts';

/** Counts what is read, and does `afterOrders` once names were. */
class WatchedLog extends MemoryLog {
  messagesRead = 0;
  namesRead = 0;
  afterOrders: () => void = () => undefined;

  override readEach(sequences: Iterable<number>): OrderMessage[] {
    const messages = super.readEach(sequences);
    this.messagesRead += messages.length;
    return messages;
  }

  override orders(after: number, limit: number): LoggedOrder[] {
    const orders = super.orders(after, limit);
    this.namesRead += orders.length;
    this.afterOrders();
    return orders;
  }
}

/** The numbers of the orders that a client is sent from `after` on, each with the one before, and the ranges it is told are lost. */
function sent(cursor: OrderLogCursor, filter: OrderFilter, from = 0, maxCount?: number) {
  const orders: (readonly [number, number])[] = [];
  const gaps: (readonly [number, number])[] = [];
  const frames: number[] = [];
  let at = { after: from, previous: from };
  for (let part: NextPart; (part = cursor.next(at, filter, maxCount)) !== undefined;) {
    if (part.kind === 'gap') {
      gaps.push([part.from, part.to]);
      at = { after: part.to, previous: part.to };
      continue;
    }
    const { after, previous, bytes, count } = part.frame;
    if (after <= at.after) throw new Error('it does not go on');
    at = { after, previous };
    if (bytes === undefined) continue;
    const text = bytes.toString();
    const found = [...text.matchAll(/"sequence":(\d+),"previous_sequence":(\d+)/g)];
    if (found.length !== count) throw new Error(`${found.length} orders in a frame of ${count}`);
    frames.push(count);
    orders.push(...found.map(([, sequence, before]) => [Number(before), Number(sequence)] as const));
  }
  return { orders, gaps, frames, after: at.after };
}

/** Each with the one before it. */
function chained(sequences: readonly number[], from: number) {
  return sequences.map((sequence, index) => [sequences[index - 1] ?? from, sequence]);
}

await t.test('a filter finds what passes it and nothing else, from wherever and however often', (t) => {
  const names = ['a', 'b', 'c'];
  const drafts = fc.array(
    fc.record({ hotkey: fc.constantFrom(...names), tradePairId: fc.constantFrom(...names) }),
    { minLength: 200, maxLength: 900 },
  );
  const lists = fc.option(fc.uniqueArray(fc.constantFrom(...names, 'none'), { minLength: 1 }), {
    nil: undefined,
  });
  fc.assert(
    fc.property(
      drafts,
      fc.nat(10_000),
      fc.array(fc.tuple(lists, lists, fc.nat(900)), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      (placed, first, asked, isLegacy) => {
        const log = new MemoryLog(first);
        log.append(...placed);
        const cursor = new OrderLogCursor(log);
        for (const [hotkeys, tradePairs, skipped] of asked) {
          const filter = orderFilter({ ...(hotkeys && { hotkeys }), ...(tradePairs && { tradePairs }) });
          const from = first + Math.min(skipped, placed.length);
          const wanted = placed
            .map((order, index) => ({ ...order, sequence: first + 1 + index }))
            .filter(({ sequence }) => sequence > from)
            .filter(({ hotkey }) => hotkeys?.includes(hotkey) ?? true)
            .filter(({ tradePairId }) => tradePairs?.includes(tradePairId) ?? true)
            .map(({ sequence }) => sequence);
          const got = sent(cursor, filter, from, isLegacy ? 16 : undefined);
          t.strictSame(got.orders, chained(wanted, from));
          t.equal(got.after, first + placed.length);
          if (isLegacy) t.ok(got.frames.every((count) => count <= 16));
        }
      },
    ),
    { numRuns: 60 },
  );
  t.end();
});

await t.test('what is found is read, and names once, however many filters search', (t) => {
  const log = new WatchedLog();
  log.appendMany(40_000);
  log.append({ tradePairId: 'RARE' });
  log.appendMany(200);
  const cursor = new OrderLogCursor(log);
  for (let filter = 0; filter < 20; filter++) {
    const none = orderFilter({ tradePairs: [`none-${filter}`] });
    t.strictSame(sent(cursor, none).orders, []);
  }
  t.equal(log.messagesRead, 0);
  t.ok(log.namesRead <= 40_201, `${log.namesRead} names of 40,201 orders`);
  const rare = orderFilter({ tradePairs: ['RARE'] });
  t.strictSame(sent(cursor, rare).orders, [[0, 40_001]]);
  t.equal(log.messagesRead, 1);
  t.end();
});

await t.test('large orders that are found are sent in several frames', (t) => {
  const log = new MemoryLog();
  for (let order = 0; order < 300; order++) {
    log.append({ hotkey: order % 2 ? 'a' : 'b', content: JSON.stringify('x'.repeat(30_000)) });
  }
  const { orders, frames } = sent(new OrderLogCursor(log), orderFilter({ hotkeys: ['a'] }));
  const wanted = Array.from({ length: 150 }, (_, index) => 2 * (index + 1));
  t.strictSame(orders, chained(wanted, 0));
  t.ok(frames.every((count) => count <= 2));
  t.end();
});

await t.test('what is pruned while it is searched is told, not passed over', (t) => {
  for (const through of [1, 300, 511, 512, 700, 1000]) {
    const log = new WatchedLog();
    log.appendMany(1000, { hotkey: 'a' });
    const cursor = new OrderLogCursor(log);
    log.afterOrders = () => {
      log.prune(through);
    };
    const { orders, gaps } = sent(cursor, orderFilter({ hotkeys: ['a'] }));
    t.strictSame(gaps, [[1, through]]);
    t.strictSame(
      orders,
      chained(
        Array.from({ length: 1000 - through }, (_, index) => through + 1 + index),
        through,
      ),
    );
  }
  t.end();
});

await t.test('a log that another one took the place of is searched no further', (t) => {
  const log = new WatchedLog();
  log.appendMany(1000);
  const cursor = new OrderLogCursor(log);
  log.orders = () => [];
  t.strictSame(sent(cursor, orderFilter({ hotkeys: ['a'] })), { orders: [], gaps: [], frames: [], after: 0 });
  t.end();
});
