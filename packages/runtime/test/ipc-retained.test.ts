import fc from 'fast-check';
import t from 'tap';
import type { AnyTransaction, DocumentValue } from '../dist/ipc/messages.js';
import { mergeTransactions, RetainedState } from '../dist/ipc/retained.js';

const key = fc.constantFrom('head', 'miner:a', 'miner:b', 'miner:c');
/** Retained state never looks into values: any will do for any topic. */
const value = fc.nat({ max: 1000 }).map((sizeBytes): DocumentValue => ({
  kind: 'document',
  gzip: new Uint8Array(),
  sizeBytes,
  digest: '',
  modifiedMs: 0,
}));

function transactionOf(topic: fc.Arbitrary<'positions' | 'documents'>): fc.Arbitrary<AnyTransaction> {
  return fc.record({
    topic,
    reset: fc.boolean(),
    put: fc.array(fc.tuple(key, value), { maxLength: 4 }),
    remove: fc.array(key, { maxLength: 3 }),
  }) as fc.Arbitrary<unknown> as fc.Arbitrary<AnyTransaction>;
}

const positions = transactionOf(fc.constant('positions'));

function folded(transactions: readonly AnyTransaction[]): Map<string, Map<string, unknown>> {
  const state = new RetainedState();
  state.applyAll(transactions);
  return new Map(state.snapshot().map(({ topic, put }) => [topic, new Map<string, unknown>(put)]));
}

void t.test('a merged transaction does what both do one after the other', (t) => {
  fc.assert(
    fc.property(fc.array(positions, { maxLength: 4 }), positions, positions, (earlier, first, second) => {
      t.strictSame(
        folded([...earlier, mergeTransactions(first, second)]),
        folded([...earlier, first, second]),
      );
    }),
  );
  t.end();
});

void t.test('it does not matter what is merged first', (t) => {
  fc.assert(
    fc.property(positions, positions, positions, positions, (earlier, a, b, c) => {
      t.strictSame(
        folded([earlier, mergeTransactions(mergeTransactions(a, b), c)]),
        folded([earlier, mergeTransactions(a, mergeTransactions(b, c))]),
      );
    }),
  );
  t.end();
});

void t.test('a merged transaction names every key once', (t) => {
  fc.assert(
    fc.property(fc.array(positions, { minLength: 2, maxLength: 6 }), (transactions) => {
      const { put, remove } = transactions.reduce(mergeTransactions);
      // The last one may be passed on as it is, when it resets.
      if (transactions.at(-1)?.reset === true) return true;
      const keys = [...put.map(([name]) => name), ...remove];
      return new Set(keys).size === keys.length;
    }),
  );
  t.end();
});

void t.test('transactions of different topics are not merged', (t) => {
  const of = (topic: 'documents' | 'orders'): AnyTransaction => ({
    topic,
    reset: true,
    put: [],
    remove: [],
  });
  t.throws(() => mergeTransactions(of('documents'), of('orders')), /cannot be merged/);
  t.end();
});

void t.test('a snapshot folded into an empty state gives the same state', (t) => {
  const any = transactionOf(fc.constantFrom('positions', 'documents'));
  fc.assert(
    fc.property(fc.array(any, { maxLength: 8 }), (transactions) => {
      const state = new RetainedState();
      state.applyAll(transactions);
      t.strictSame(folded(state.snapshot()), folded(transactions));
    }),
  );
  t.end();
});

void t.test('a topic that was emptied is in the snapshot, one that was never written is not', (t) => {
  const state = new RetainedState();
  state.apply({ topic: 'statistics', reset: true, put: [], remove: [] });
  t.same(state.snapshot(), [{ topic: 'statistics', reset: true, put: [], remove: [] }]);
  t.end();
});

void t.test('a key holds its last value', (t) => {
  const state = new RetainedState();
  const health = (up: boolean) => ({ kind: 'feed-health', up, sinceMs: 1 }) as const;
  t.equal(state.get('health', 'feed'), undefined);
  state.apply({
    topic: 'health',
    reset: false,
    put: [
      ['feed', health(true)],
      ['feed', health(false)],
    ],
    remove: [],
  });
  t.same(state.get('health', 'feed'), health(false));
  t.end();
});
