import assert from 'node:assert/strict';
import { DAY_MS, nextStripMs, readPosition, stripPriceSources } from '../dist/index.js';
import type { Position } from '@ptn-api/protocol';
import fc from 'fast-check';
import t from 'tap';
import { NOW, order, positionArbitrary, positionOf } from './sample-positions.ts';

const LIMIT = NOW - 7 * DAY_MS;

function read(text: string) {
  const result = readPosition(text);
  if (!result.ok) throw new Error(result.reason);
  return result;
}

void t.test('orders older than 7 days lose their price sources, every other byte stays', (t) => {
  const head = JSON.stringify(positionOf([order()])).replace(/"orders":.*?\}\],/, '"orders": [');
  const orderText = (timeMs: number, sources: string): string =>
    `{"order_uuid": "u", "price_sources" :  ${sources}, "processed_ms": ${timeMs}, "x":[ 1 ]}`;
  const build = (first: string): string =>
    head.replace(
      '"orders": [',
      `"orders": [${orderText(LIMIT - 1, first)},  ${orderText(LIMIT, '[{"a":1}]')}], `,
    );
  const text = build('[ {"b":[2,"]"]} ]');
  t.equal(stripPriceSources(text, read(text).facts, NOW), build('[]'));
  t.end();
});

void t.test('it takes all that is due and nothing else', (t) => {
  fc.assert(
    fc.property(positionArbitrary, fc.integer({ min: 0, max: 8 * DAY_MS }), (position, later) => {
      const now = NOW + later;
      const text = JSON.stringify(position);
      const { facts } = read(text);
      const want = position.orders.map((o) =>
        o.processed_ms < now - 7 * DAY_MS ? { ...o, price_sources: [] } : o,
      );
      const stripped = stripPriceSources(text, facts, now);
      assert.deepEqual(JSON.parse(stripped) as Position, { ...position, orders: want });
      const next = nextStripMs(facts, now);
      assert.ok(next > now);
      if (next === Infinity) {
        assert.equal(stripPriceSources(text, facts, now + 1000 * DAY_MS), stripped);
      } else {
        assert.equal(stripPriceSources(text, facts, next - 1), stripped);
        assert.notEqual(stripPriceSources(text, facts, next), stripped);
      }
    }),
    { numRuns: 300 },
  );
  t.end();
});

void t.test('a position without old price sources is returned as it is', (t) => {
  const text = JSON.stringify(positionOf([order({ processed_ms: LIMIT, price_sources: [1] })]));
  t.equal(stripPriceSources(text, read(text).facts, NOW), text);
  t.end();
});

void t.test('price sources that are no list stay, and an order without them', (t) => {
  const sources = [{ source: 'Polygon_ws' }];
  const old = { processed_ms: LIMIT - 1 };
  const orders = [
    { ...order(old), price_sources: null },
    { ...order(old), price_sources: undefined },
    order({ ...old, price_sources: sources }),
  ];
  const position = { ...positionOf([order(old)]), orders };
  const text = JSON.stringify(position);
  const left = orders.map((each) => (each.price_sources ? { ...each, price_sources: [] } : each));
  t.equal(stripPriceSources(text, read(text).facts, NOW), JSON.stringify({ ...position, orders: left }));
  t.end();
});
