import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  DAY_MS,
  isSettled,
  nextTierChangeMs,
  positionAtTier,
  readPosition,
  sampleBucket,
  sliceObject,
} from '../dist/index.js';
import type { PositionFacts } from '../dist/index.js';
import type { Position, Tier } from '@ptn-api/protocol';
import { TIERS } from '@ptn-api/protocol';
import fc from 'fast-check';
import t from 'tap';
import { CUTOFF, NOW, order, positionArbitrary, positionOf } from './sample-positions.ts';

function read(position: Position | string): { text: string; facts: PositionFacts } {
  const result = readPosition(typeof position === 'string' ? position : JSON.stringify(position));
  if (!result.ok) throw new Error(result.reason);
  return result;
}

function viewOf(position: Position | string, tier: Tier, now = NOW) {
  const { text, facts } = read(position);
  return positionAtTier(text, facts, tier, now);
}

/** What a tier shows, as text; empty if nothing. */
function shownAt(position: Position, tier: Tier, now: number): string {
  const { text, facts } = read(position);
  const view = positionAtTier(text, facts, tier, now);
  if (view.kind === 'dropped') return '';
  return view.kind === 'cut' ? view.text : text;
}

const recent = order({ processed_ms: CUTOFF, leverage: 0.2, order_uuid: 'recent' });
const older = order({ processed_ms: CUTOFF - 1, order_uuid: 'older' });

void t.test('the bucket is the SHA-256 of the uuid modulo 100', (t) => {
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      const digest = BigInt(`0x${createHash('sha256').update(uuid).digest('hex')}`);
      return sampleBucket(uuid) === Number(digest % 100n);
    }),
  );
  t.end();
});

void t.test('each tier shows what the lower one shows, or more of it', (t) => {
  fc.assert(
    fc.property(positionArbitrary, (position) => {
      const { text, facts } = read(position);
      const views = TIERS.map((tier) => positionAtTier(text, facts, tier, NOW));
      assert.equal(views.at(-1)?.kind, 'same', 'tier 100 shows all');
      views.forEach((view, index) => {
        const higher = views[index + 1];
        if (higher === undefined) return;
        if (view.kind === 'same') assert.equal(higher.kind, 'same');
        else if (higher.kind !== 'same')
          assert.deepEqual(higher, view, 'the delayed state is one for all tiers');
      });
    }),
    { numRuns: 500 },
  );
  t.end();
});

void t.test(
  'no tier below 100 shows a position by an order of the last 24 h unless it is of its share',
  (t) => {
    fc.assert(
      fc.property(positionArbitrary, fc.constantFrom(...TIERS), (position, tier) => {
        const view = viewOf(position, tier);
        if (view.kind !== 'cut') return;
        assert.ok((JSON.parse(view.text) as Position).orders.every((o) => o.processed_ms < CUTOFF));
      }),
      { numRuns: 500 },
    );
    t.end();
  },
);

void t.test('a tier shows a position in real time if its bucket is below the tier', (t) => {
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom(...TIERS), (uuid, tier) => {
      const position = positionOf([older, recent], { position_uuid: uuid });
      assert.equal(viewOf(position, tier).kind, sampleBucket(uuid) < tier ? 'same' : 'cut');
    }),
  );
  t.end();
});

void t.test('what was cut is not cut again', (t) => {
  fc.assert(
    fc.property(positionArbitrary, (position) => {
      const view = viewOf(position, 0);
      if (view.kind === 'cut') assert.equal(viewOf(view.text, 0).kind, 'same');
    }),
    { numRuns: 500 },
  );
  t.end();
});

void t.test('every tier shows the same until the next change, and tier 0 something else at it', (t) => {
  fc.assert(
    fc.property(
      positionArbitrary,
      fc.integer({ min: 0, max: 9 * DAY_MS }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (position, back, share) => {
        const now = NOW - back;
        const { facts } = read(position);
        const next = nextTierChangeMs(facts, now);
        assert.ok(next > now);
        const last = next === Infinity ? now + 100 * DAY_MS : next - 1;
        const between = now + Math.floor((last - now) * share);
        for (const tier of TIERS) {
          const shown = shownAt(position, tier, now);
          assert.equal(shownAt(position, tier, between), shown);
          assert.equal(shownAt(position, tier, last), shown);
        }
        if (next < Infinity) {
          assert.notEqual(
            JSON.stringify(positionAtTier(JSON.stringify(position), facts, 0, next)),
            JSON.stringify(positionAtTier(JSON.stringify(position), facts, 0, next - 1)),
          );
        }
      },
    ),
    { numRuns: 300 },
  );
  t.end();
});

void t.test('a closed position changes for the last time one ms after its close is 24 h old', (t) => {
  const flat = order({ order_type: 'FLAT', leverage: -0.1, processed_ms: NOW - 5000 });
  const { facts } = read(positionOf([older, flat]));
  t.equal(nextTierChangeMs(facts, NOW), NOW - 5000 + DAY_MS + 1);
  t.notOk(isSettled(facts, NOW - 5000 + DAY_MS));
  t.ok(isSettled(facts, NOW - 5000 + DAY_MS + 1));
  t.equal(nextTierChangeMs(facts, NOW - 5000 + DAY_MS + 1), Infinity);
  t.end();
});

void t.test('an open position is never settled', (t) => {
  const { facts } = read(positionOf([older]));
  t.notOk(isSettled(facts, NOW + 1000 * DAY_MS));
  t.equal(nextTierChangeMs(facts, NOW), Infinity);
  t.end();
});

void t.test('an order of exactly 24 h is too young', (t) => {
  const view = viewOf(positionOf([older, recent]), 0);
  t.equal(view.kind, 'cut');
  if (view.kind === 'cut') {
    const cut = JSON.parse(view.text) as Position;
    t.strictSame(cut.orders, [older]);
    t.equal(cut.net_leverage, 0.1);
    t.equal(cut.close_ms, null);
  }
  t.strictSame(viewOf(positionOf([recent]), 0), { kind: 'dropped', reason: 'no-orders' });
  t.end();
});

void t.test('a cut keeps every byte that does not follow from the orders', (t) => {
  const first = `{"order_uuid":"a\\u00e9", "leverage":1e-1,"order_type":"LONG",\t"price":100.00, "processed_ms": ${CUTOFF - 1}}`;
  const second = `{"order_uuid":"b","leverage":0.2,"order_type":"LONG","price":101,"processed_ms":${CUTOFF}}`;
  const text =
    `{"orders":[${first} , ${second}],"position_uuid":"00000000-0000-4000-8000-000000000001",` +
    `"net_leverage":0.3,"open_ms":1,"trade_pair":["BTCUSD"],"miner_hotkey":"h\\u00fc"}`;
  const view = viewOf(text, 0);
  t.strictSame(view, {
    kind: 'cut',
    text:
      `{"orders":[${first}], "position_uuid":"00000000-0000-4000-8000-000000000001", ` +
      `"net_leverage":0.1, "open_ms":${CUTOFF - 1}, "trade_pair":["BTCUSD"], "miner_hotkey":"h\\u00fc", ` +
      '"current_return": 1.0, "close_ms": null, "return_at_close": 1.0, "average_entry_price": 100.0, ' +
      '"cumulative_entry_value": 10.0, "realized_pnl": 0.0, "position_type": "LONG", "is_closed_position": false}',
  });
  t.end();
});

void t.test('members that are not known do not pass a cut: they stand in the file of today', (t) => {
  const text = JSON.stringify(
    positionOf([{ ...older, secret: 'order of today', src: 0 } as typeof older, recent]),
  ).replace('"orders":', '"secret":{"of":"today"},"orders":');
  const view = viewOf(text, 0);
  t.equal(view.kind, 'cut');
  if (view.kind === 'cut') {
    t.notMatch(view.text, /secret|today/);
    t.match(JSON.parse(view.text), { orders: [{ order_uuid: older.order_uuid, src: 0 }] });
  }
  t.match(viewOf(text, 100), { kind: 'same' });
  t.end();
});

void t.test('of a repeated key only the last value is used and kept', (t) => {
  const text = JSON.stringify(positionOf([older, recent])).replace(
    '"orders":',
    '"orders":[{"secret":1}],"\\u006frders":',
  );
  const view = viewOf(text, 0);
  t.equal(view.kind, 'cut');
  if (view.kind === 'cut') {
    t.notMatch(view.text, 'secret');
    t.strictSame(sliceObject(view.text).filter(({ key }) => key === 'orders').length, 1);
  }
  t.end();
});

void t.test('a liquidation adds the flat order of the validator, once', (t) => {
  const loss = order({
    leverage: 0.1,
    price: 0.001,
    slippage: 0,
    processed_ms: CUTOFF - 1,
    order_uuid: 'loss',
  });
  const open = order({ leverage: 20, processed_ms: CUTOFF - 2 });
  const rebuilt = positionOf([open, loss]);
  t.equal(rebuilt.current_return, 0);
  t.strictSame(positionOf(rebuilt.orders).orders, rebuilt.orders, 'rebuilt with it, none is added');
  const { orders, ...cut } = JSON.parse(
    shownAt({ ...rebuilt, orders: [open, loss, recent], is_closed_position: false }, 0, NOW),
  ) as Position;
  t.strictSame(orders, rebuilt.orders);
  t.match(cut, {
    current_return: 0,
    return_at_close: 0,
    close_ms: CUTOFF - 1,
    is_closed_position: true,
    position_type: 'FLAT',
  });
  t.equal(orders[2]?.order_uuid, '100000000000-0008-0004-0000-00000000');
  t.end();
});

void t.test('a record of an unknown generation is never cut, nor shown delayed while it is open', (t) => {
  const record = { ...positionOf([older, recent]), net_quantity: 1, net_margin: 100 };
  t.strictSame(viewOf(record, 0), { kind: 'dropped', reason: 'unsupported-generation' });
  t.equal(viewOf(record, 100).kind, 'same');
  const later = NOW + DAY_MS + 1;
  t.strictSame(
    viewOf(record, 0, later),
    { kind: 'dropped', reason: 'unsupported-generation' },
    'what it holds may be of today, however old its orders are',
  );
  const closed = { ...record, is_closed_position: true, close_ms: NOW };
  t.equal(viewOf(closed, 0, later - 1).kind, 'dropped');
  t.equal(viewOf(closed, 0, later).kind, 'same', 'shown once its close is old');
  t.end();
});

void t.test('orders that cannot be accounted are left out with a warning', (t) => {
  const bad = { ...positionOf([older, recent]), orders: [{ ...older, price: '100' }, recent] };
  t.strictSame(viewOf(JSON.stringify(bad), 0), {
    kind: 'dropped',
    reason: 'invalid-orders',
    warning: 'position 00000000-0000-4000-8000-000000000001 is left out: order 0 has no usable price',
  });
  const zero = { ...bad, orders: [{ ...older, leverage: 0 }, recent] };
  t.match(viewOf(JSON.stringify(zero), 0), { reason: 'invalid-orders', warning: /leverage of 0/ });
  t.end();
});

void t.test('an unknown pair is cut by the class of its fee, with a warning', (t) => {
  const position = positionOf([older, recent], { trade_pair: ['NEWPAIR', 'NEW/PAIR', 0.00008, 0.1, 5] });
  t.match(viewOf(position, 0), { kind: 'cut', warning: /unknown trade pair NEWPAIR/ });
  t.equal(viewOf(position, 100).kind, 'same', 'and passes where it need not be');
  t.end();
});

void t.test('a number that Python had as NaN makes the numbers that depend on it null', (t) => {
  const text = JSON.stringify({ ...positionOf([older, recent]) }).replace('"price":100,', '"price":NaN,');
  const result = readPosition(text);
  t.match(result, { ok: true, nonFinite: 1 });
  const second = {
    ...positionOf([older, older, recent]),
    orders: [older, { ...older, price: null }, recent],
  };
  const view = viewOf(JSON.stringify(second), 0);
  t.equal(view.kind, 'cut');
  if (view.kind === 'cut')
    t.match(JSON.parse(view.text), { current_return: null, average_entry_price: null, net_leverage: 0.2 });
  t.end();
});
