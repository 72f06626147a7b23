import assert from 'node:assert/strict';
import { readPosition } from '../dist/index.js';
import fc from 'fast-check';
import t from 'tap';
import { CUTOFF, order, positionArbitrary, positionOf } from './sample-positions.ts';

const record = positionOf([
  order({ order_uuid: 'a', price_sources: [{ source: 'x' }], processed_ms: CUTOFF }),
  order({ order_uuid: 'b', processed_ms: CUTOFF - 1 }),
]);

function readRecord(fields: object): ReturnType<typeof readPosition> {
  return readPosition(JSON.stringify({ ...record, ...fields }));
}

void t.test('the facts of a position', (t) => {
  const text = JSON.stringify(record);
  t.strictSame(readPosition(`\n ${text}\t`), {
    ok: true,
    text,
    nonFinite: 0,
    facts: {
      positionUuid: record.position_uuid,
      tradePairId: 'BTCUSD',
      openMs: CUTOFF,
      closeMs: null,
      isClosed: false,
      delayedUntilMs: CUTOFF - 1,
      returnAtClose: record.return_at_close,
      sampleBucket: 77,
      orderTimesMs: [CUTOFF, CUTOFF - 1],
      orderUuids: ['a', 'b'],
      priceSourceTimesMs: [CUTOFF],
      entryTimesMs: [],
      generation: '2025',
      delayed: 'cut',
    },
  });
  t.end();
});

void t.test('the record says which generation wrote it', (t) => {
  const generationOf = (fields: object): unknown => {
    const read = readRecord(fields);
    return read.ok ? read.facts.generation : read.reason;
  };
  t.equal(generationOf({}), '2025');
  t.equal(generationOf({ account_size: 100000 }), 'account-size');
  t.equal(generationOf({ account_size: 100000, net_quantity: 1 }), 'quantity');
  t.equal(generationOf({ orders: [{ ...order(), quantity: 2 }] }), 'quantity');
  t.equal(generationOf({ account_size: 100000, net_quantity: 1, fee_history: [] }), '2026');
  t.equal(generationOf({ fee_history: [], orders: [{ ...order(), trailing_stop: null }] }), '2026');
  t.end();
});

void t.test('a record that counts in quantities and holds what no generation does is of a newer one', (t) => {
  const generationOf = (fields: object): unknown => {
    const read = readRecord(fields);
    return read.ok ? [read.facts.generation, read.facts.delayed] : read.reason;
  };
  const unknown = ['unknown', 'left-out'];
  t.strictSame(generationOf({ net_quantity: 1, net_margin: 1 }), unknown);
  t.strictSame(generationOf({ fee_history: [], net_margin: 1 }), unknown);
  t.strictSame(generationOf({ net_quantity: 1, is_hl: false }), unknown, 'between two that are known');
  t.strictSame(generationOf({ orders: [{ ...order(), quantity: 2, urgency: 1 }] }), unknown);
  t.strictSame(
    generationOf({ account_size: 1, net_margin: 1 }),
    ['account-size', 'cut'],
    'older ones are complete',
  );
  t.end();
});

void t.test('an open position has no close time, whether the record says null or 0', (t) => {
  t.match(readRecord({ close_ms: 0 }), { ok: true, facts: { closeMs: null, isClosed: false } });
  t.match(readRecord({ close_ms: 5, is_closed_position: true }), {
    ok: true,
    facts: { closeMs: 5, isClosed: true },
  });
  t.end();
});

void t.test('NaN becomes null and is counted; its return is no number', (t) => {
  const text = JSON.stringify(record).replace(/"return_at_close":[^,]*/, '"return_at_close":NaN');
  const read = readPosition(text);
  t.match(read, { ok: true, nonFinite: 1 });
  if (read.ok) {
    t.equal((JSON.parse(read.text) as { return_at_close: unknown }).return_at_close, null);
    t.ok(Number.isNaN(read.facts.returnAtClose));
  }
  t.end();
});

void t.test('what is no position is refused with the reason', (t) => {
  const reasons: [string | object, RegExp][] = [
    ['', /^is not JSON: Unexpected end/],
    ['{"a": ', /^is not JSON/],
    ['[NaN', /^is not JSON/],
    ['[]', /^is not a JSON object$/],
    ['null', /^is not a JSON object$/],
    ['"x"', /^is not a JSON object$/],
    [{ position_uuid: undefined }, /^has no position_uuid$/],
    [{ position_uuid: 7 }, /^has no position_uuid$/],
    [{ trade_pair: 'BTCUSD' }, /^has no trade_pair/],
    [{ open_ms: '1' }, /^has no open_ms/],
    [{ orders: [] }, /^has no orders$/],
    [{ orders: { 0: order() } }, /^has no orders$/],
    [{ orders: [order(), null] }, /^order 1 is no object$/],
    [{ orders: [order({ processed_ms: 1e18 })] }, /^order 0 has no processed_ms in Unix ms$/],
    [{ orders: [{ ...order(), order_uuid: 1 }] }, /^order 0 has no order_uuid$/],
    [{ is_closed_position: 'no' }, /is_closed_position/],
    [{ is_closed_position: true, close_ms: 0 }, /^is closed but has no close_ms/],
  ];
  for (const [input, reason] of reasons) {
    const read = typeof input === 'string' ? readPosition(input) : readRecord(input);
    t.match(read, { ok: false, reason }, JSON.stringify(input));
  }
  t.end();
});

void t.test('no text makes it throw', (t) => {
  fc.assert(
    fc.property(positionArbitrary, fc.nat(), fc.string({ maxLength: 3 }), (position, at, put) => {
      const text = JSON.stringify(position);
      const index = at % text.length;
      const read = readPosition(text.slice(0, index) + put + text.slice(index + put.length));
      assert.equal(typeof read.ok, 'boolean');
    }),
  );
  fc.assert(
    fc.property(fc.json(), (json) => {
      assert.ok(!readPosition(json).ok);
    }),
  );
  t.end();
});

void t.test('deep nesting is no fault', (t) => {
  const deep = '['.repeat(500_000) + ']'.repeat(500_000);
  t.ok(readPosition(`${JSON.stringify(record).slice(0, -1)}, "deep": ${deep}}`).ok);
  t.notOk(readPosition(deep).ok);
  t.end();
});
