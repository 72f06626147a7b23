import assert from 'node:assert/strict';
import {
  accountOrders,
  assetClassOf,
  DAY_MS,
  pairTerms,
  rebuildPosition,
  refreshPosition,
  returnAt,
  TRADE_PAIRS,
} from '../dist/index.js';
import fc from 'fast-check';
import t from 'tap';
import { CUTOFF, NOW, order, pairOf, positionArbitrary, positionOf } from './sample-positions.ts';
import { positionsOf, vectorSet } from './vectors.ts';

void t.test('the table of pairs agrees with the records of the validator', (t) => {
  const records = [
    ...positionsOf(vectorSet('dev/2025').input),
    ...positionsOf(vectorSet('real_ck/2025').input),
  ];
  for (const { trade_pair: pair } of records) t.strictSame(TRADE_PAIRS[pair[0]], pair);
  t.equal(Object.keys(TRADE_PAIRS).length, 51);
  t.equal(assetClassOf('XAUUSD'), 'forex');
  t.strictSame(TRADE_PAIRS['constructor'], undefined);
  t.end();
});

void t.test('an unknown pair gets the class whose fee is closest', (t) => {
  t.strictSame(pairTerms(['ABCUSD', 'ABC/USD', 0.003]), { assetClass: 'crypto', fee: 0.003, isKnown: false });
  t.strictSame(pairTerms(['NZDSGD', 'NZD/SGD', 0.00006]), {
    assetClass: 'forex',
    fee: 0.00006,
    isKnown: false,
  });
  t.strictSame(pairTerms(['IBM', 'IBM', 0.0001]), { assetClass: 'equities', fee: 0.0001, isKnown: false });
  t.strictSame(pairTerms(['?']), { assetClass: 'crypto', fee: 0.001, isKnown: false });
  t.strictSame(pairTerms(['BTCUSD', 'BTC/USD', 0.003]), { assetClass: 'crypto', fee: 0.001, isKnown: true });
  t.end();
});

void t.test(
  'without orders, without a price or with a first order of leverage 0 there is no account',
  (t) => {
    const terms = pairTerms(['BTCUSD']);
    t.match(accountOrders([], terms), { ok: false, reason: 'there are no orders' });
    t.match(accountOrders([order({ leverage: 0 })], terms), { ok: false, reason: /leverage of 0/ });
    t.match(accountOrders([order({ price: 0 })], terms), { ok: false, reason: /price of 0/ });
    t.match(accountOrders([order({ price: NaN })], terms), { ok: false, reason: /price of NaN/ });
    t.end();
  },
);

void t.test('orders fed one by one lead to what they lead to together', (t) => {
  fc.assert(
    fc.property(positionArbitrary, ({ orders, ...identity }) => {
      let position = rebuildPosition(identity, orders.slice(0, 1));
      for (const next of orders.slice(1)) {
        if (!position.is_closed_position) position = rebuildPosition(position, [...position.orders, next]);
      }
      const { orders: after, ...whole } = rebuildPosition(identity, orders);
      const { orders: fed, ...steps } = position;
      assert.deepEqual({ ...steps, return_at_close: 0 }, { ...whole, return_at_close: 0 });
      assert.ok(fed.length <= after.length);
    }),
    { numRuns: 300 },
  );
  t.end();
});

void t.test('at the price and time of its last order a position is worth what the order made of it', (t) => {
  const open = positionsOf(vectorSet('dev/account-size').input).filter(
    (p) => !p.is_closed_position && p.orders.length > 0,
  );
  let compared = 0;
  for (const position of open) {
    const last = position.orders.at(-1);
    if (last?.src !== 0 || position.position_type === null) continue;
    const { current_return, return_at_close } = returnAt(position, last.price, last.processed_ms);
    // The last order's own slippage is in the average price only if it added to the position.
    if (last.order_type !== position.position_type || last.slippage !== 0) continue;
    t.ok(Math.abs(current_return - position.current_return) < 1e-12);
    t.ok(Math.abs(return_at_close - position.return_at_close) < 1e-12);
    compared += 1;
  }
  t.ok(compared > 3, `${compared} compared`);
  t.end();
});

void t.test('an open position gains with the price and pays for the time', (t) => {
  const position = positionOf([order({ leverage: 0.5, slippage: 0, processed_ms: CUTOFF })]);
  const soon = returnAt(position, 110, CUTOFF + 1);
  t.equal(soon.current_return, 1 + ((110 - 100) * 0.5) / 100);
  t.equal(soon.return_at_close, soon.current_return);
  const later = returnAt(position, 110, CUTOFF + 10 * DAY_MS);
  t.equal(later.current_return, soon.current_return);
  // Thirty intervals of 8 h at a leverage of 0.5.
  const carry = (1 - 0.1095) ** ((30 / (365 * 3)) * 0.5);
  t.ok(Math.abs(later.return_at_close / later.current_return - carry) < 1e-12);
  t.end();
});

void t.test(
  'forex pays from 21 UTC on, nothing where the interval ends at the weekend, threefold on Wednesday',
  (t) => {
    const daily = (1 - 0.03) ** (1 / 365);
    const kept = (openMs: number, timeMs: number): number => {
      const fields = { trade_pair: pairOf('EURUSD') };
      const position = positionOf([order({ leverage: 1, slippage: 0, processed_ms: openMs })], fields);
      return returnAt(position, 100, timeMs).return_at_close;
    };
    const near = (got: number, want: number, message: string): void => {
      t.ok(Math.abs(got - want) < 1e-12, message);
    };
    const thursday = Date.UTC(2025, 9, 30, 20);
    t.equal(kept(thursday, thursday + 3_599_999), 1);
    near(kept(thursday, thursday + 3_600_000), daily, 'the first interval is charged from the boundary on');
    // At Friday 21:30 two intervals count; the second ends 8 h after the first, on Saturday.
    near(kept(thursday, Date.UTC(2025, 9, 31, 21, 30)), daily, 'Saturday is free');
    const tuesday = Date.UTC(2025, 9, 28, 20);
    near(kept(tuesday, tuesday + 3_600_000), daily ** 3, 'Wednesday is threefold');
    t.end();
  },
);

void t.test('refreshing changes the returns alone', (t) => {
  const position = positionOf([order({ leverage: 0.5 })]);
  const refreshed = refreshPosition(position, 120, NOW);
  t.strictSame(refreshed, { ...position, ...returnAt(position, 120, NOW) });
  t.ok(refreshed.current_return > 1 && refreshed.return_at_close < refreshed.current_return);
  t.end();
});

void t.test('refreshing a position that lost everything liquidates it', (t) => {
  const position = positionOf([order({ leverage: -2, order_type: 'SHORT' })]);
  const refreshed = refreshPosition(position, 160, NOW);
  t.match(refreshed, {
    current_return: 0,
    return_at_close: 0,
    close_ms: NOW,
    is_closed_position: true,
    position_type: 'FLAT',
  });
  t.match(refreshed.orders, [{}, { src: 1, price: 0, order_type: 'FLAT', processed_ms: NOW }]);
  t.equal(refreshPosition(refreshed, 10, NOW + 1), refreshed, 'and a closed one is left as it is');
  t.end();
});
