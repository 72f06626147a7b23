import fc from 'fast-check';
import pino from 'pino';
import t from 'tap';
import { SHOWN_WITHIN_MS, UnshownOrders } from '../dist/feed/orders/unshown-orders.js';

const NOW = 1_760_000_000_000;
const waiting = (sinceMs = NOW) => ({ hotkey: 'm', positionUuid: 'p', sinceMs });

/** Orders named by their numbers. */
function unshown(isStored: (sequence: number) => boolean = () => true) {
  const logged: Record<string, unknown>[] = [];
  const orders = new UnshownOrders({
    sequenceOf: (uuid) => (isStored(Number(uuid)) ? Number(uuid) : undefined),
    log: pino({}, { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }),
  });
  return { orders, logged };
}

await t.test('complete up to just before the first order that is waited for', (t) => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 20 });
  fc.assert(
    fc.property(numbers, numbers, fc.integer({ min: 0, max: 50 }), (added, shown, last) => {
      const { orders } = unshown((sequence) => sequence <= last);
      for (const sequence of added) orders.add(String(sequence), waiting());
      // Asked in between, as every generation does: what was remembered then must not matter.
      orders.completeTo(last);
      orders.shown(shown.map(String));
      const left = added.filter((sequence) => !shown.includes(sequence) && sequence <= last);
      const complete = orders.completeTo(last);
      t.equal(complete, Math.min(last, ...left.map((sequence) => sequence - 1)));
    }),
    { numRuns: 200 },
  );
  t.end();
});

await t.test(
  'an order that is not stored when it is asked for holds nothing back, and does once it is',
  (t) => {
    let last = 4;
    const { orders } = unshown((sequence) => sequence <= last);
    orders.add('5', waiting());
    t.equal(orders.completeTo(last), 4);
    last = 6;
    t.equal(orders.completeTo(last), 4);
    t.end();
  },
);

await t.test(
  'after ten minutes an order is not waited for any more, and a warning names its position',
  (t) => {
    const { orders, logged } = unshown();
    orders.add('3', waiting(NOW));
    orders.add('5', waiting(NOW + 1));
    t.notOk(orders.giveUp(NOW + SHOWN_WITHIN_MS - 1));
    t.equal(orders.completeTo(9), 2);
    t.ok(orders.giveUp(NOW + SHOWN_WITHIN_MS));
    t.equal(orders.completeTo(9), 4, 'the other one is waited for still');
    t.same(
      logged.map(({ event, position, order }) => ({ event, position, order })),
      [{ event: 'order-not-in-files', position: 'p', order: '3' }],
    );
    t.end();
  },
);
