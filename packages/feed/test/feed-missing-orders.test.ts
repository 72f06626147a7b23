import fc from 'fast-check';
import pino from 'pino';
import t from 'tap';
import { FOUND_WITHIN_MS, MissingOrders } from '../dist/orders/missing-orders.js';

const NOW = 1_760_000_000_000;

/** Orders named by their numbers. */
function missing(sequences: readonly number[], timestampOf: (sequence: number) => number = () => NOW) {
  const logged: Record<string, unknown>[] = [];
  const orders = new MissingOrders(
    sequences.map((sequence) => ({
      sequence,
      orderUuid: String(sequence),
      hotkey: `m${sequence}`,
      tradePairId: 'BTCUSD',
      timestampMs: timestampOf(sequence),
    })),
    pino({}, { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }),
  );
  return { orders, logged };
}

await t.test('complete up to just before the first order that is missing', (t) => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 20 });
  fc.assert(
    fc.property(numbers, numbers, fc.integer({ min: 50, max: 60 }), (all, found, last) => {
      const { orders } = missing(all);
      t.equal(
        orders.found(found.map(String)),
        all.some((sequence) => found.includes(sequence)),
      );
      const left = all.filter((sequence) => !found.includes(sequence));
      t.equal(orders.completeTo(last), Math.min(last, ...left.map((sequence) => sequence - 1)));
    }),
    { numRuns: 200 },
  );
  t.end();
});

await t.test('after ten minutes an order is missed no longer, and a warning names its miner', (t) => {
  const { orders, logged } = missing([3, 5], (sequence) => (sequence === 3 ? NOW : NOW + 1));
  t.notOk(orders.giveUp(NOW + FOUND_WITHIN_MS - 1));
  t.equal(orders.completeTo(9), 2);
  t.ok(orders.giveUp(NOW + FOUND_WITHIN_MS));
  t.equal(orders.completeTo(9), 4, 'the other one is missing still');
  t.same(
    logged.map(({ event, hotkey, order }) => ({ event, hotkey, order })),
    [{ event: 'order-not-in-files', hotkey: 'm3', order: '3' }],
  );
  t.end();
});

await t.test('of many that are given up at once ten are named and the others counted', (t) => {
  const { orders, logged } = missing(Array.from({ length: 25 }, (_, index) => index + 1));
  t.ok(orders.giveUp(NOW + FOUND_WITHIN_MS));
  t.equal(logged.filter(({ event }) => event === 'order-not-in-files').length, 10);
  t.match(logged.at(-1), { event: 'orders-not-in-files', count: 15 });
  t.equal(orders.completeTo(30), 30);
  t.end();
});
