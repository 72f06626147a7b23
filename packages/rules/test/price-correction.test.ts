import type { Position } from '@ptn-api/protocol';
import { correctPrices, GENERATION_2025_05, needsRest } from '@ptn-api/rules';
import type { CorrectionContext, PriceSource } from '@ptn-api/rules';
import t from 'tap';
import { HOTKEY, IntakeDesk, signalText, WEDNESDAY_MS, websocketPrice } from './intake-desk.ts';

/** A position of one pair with an order every minute, the first LONG. */
function positionOf(pair: string, types: readonly string[], changes: object = {}): Position {
  const desk = new IntakeDesk();
  let position: Position | undefined;
  for (const [index, type] of types.entries()) {
    const nowMs = WEDNESDAY_MS + index * 60_000;
    const prices = { websocket: [websocketPrice(100, nowMs - 900, changes)], rest: [] };
    const result = desk.send({ text: signalText(pair, type, 0.1), nowMs, prices });
    if (result.ok) position = result.accepted?.position;
  }
  if (position === undefined) throw new Error('no order was taken');
  return position;
}

function correct(position: Position, context: Partial<CorrectionContext>): ReturnType<typeof correctPrices> {
  return correctPrices(position, GENERATION_2025_05, {
    nowMs: WEDNESDAY_MS + 300_000,
    laterPricesOf: ({ processed_ms: timeMs }) => ({ sources: [websocketPrice(101, timeMs - 1)] }),
    currentSources: [],
    slippageFeaturesOf: () => undefined,
    ...context,
  });
}

void t.test('corrects the orders of the last five minutes, of a closed position too', (t) => {
  const position = positionOf('BTCUSD', ['LONG', 'LONG', 'FLAT']);
  t.equal(position.is_closed_position, true);
  const all = correct(position, {});
  t.strictSame(
    all.position.orders.map(({ price }) => price),
    [101, 101, 101],
  );
  t.match(all, { isChanged: true, correctedOrders: 3, position: { is_closed_position: true } });
  const later = correct(position, { nowMs: WEDNESDAY_MS + 360_001 });
  t.strictSame(
    later.position.orders.map(({ price }) => price),
    [100, 100, 101],
  );
  t.strictSame(correct(position, { nowMs: WEDNESDAY_MS + 420_001 }), {
    position,
    isChanged: false,
    correctedOrders: 0,
  });
  t.end();
});

void t.test('prices that cannot be used leave an order as it is', (t) => {
  const position = positionOf('BTCUSD', ['LONG']);
  for (const price of [NaN, Infinity, 0, -1]) {
    const laterPricesOf: CorrectionContext['laterPricesOf'] = ({ processed_ms: timeMs }) => ({
      sources: [websocketPrice(price, timeMs)],
    });
    t.strictSame(correct(position, { laterPricesOf }), { position, isChanged: false, correctedOrders: 0 });
  }
  t.strictSame(correct(position, { laterPricesOf: () => ({ sources: [] }) }).isChanged, false);
  for (const bid of [NaN, 0, -1, Infinity]) {
    const quote = { bid, ask: bid };
    const known = position.orders[0]?.price_sources as PriceSource[];
    const { position: same } = correct(position, { laterPricesOf: () => ({ sources: known, quote }) });
    t.equal(same.orders[0]?.bid, 0, `a quote of ${bid}`);
  }
  const euro = positionOf('EURUSD', ['LONG']);
  const quoted: CorrectionContext['laterPricesOf'] = ({ processed_ms: timeMs }) => ({
    sources: [websocketPrice(101, timeMs, { bid: 101, ask: 101.1 })],
  });
  t.equal(
    correct(euro, { laterPricesOf: quoted }).isChanged,
    false,
    'no features to compute its slippage from',
  );
  t.end();
});

void t.test('an unknown pair passes as it is', (t) => {
  const position = {
    ...positionOf('BTCUSD', ['LONG']),
    trade_pair: ['FOO', 'FOO', 0.001, 0.01, 0.5] as const,
  };
  t.strictSame(correct(position, {}), { position, isChanged: false, correctedOrders: 0 });
  t.end();
});

void t.test('an open position follows the current price, and is closed when it has lost all', (t) => {
  const position = positionOf('BTCUSD', ['LONG']);
  const laterPricesOf: CorrectionContext['laterPricesOf'] = () => ({ sources: [] });
  const current = (price: number): ReturnType<typeof correct> =>
    correct(position, { laterPricesOf, currentSources: [websocketPrice(price, WEDNESDAY_MS + 300_000)] });
  t.match(current(110), { isChanged: true, position: { current_return: 1.01, is_closed_position: false } });
  t.equal(current(100).isChanged, false);
  const short = { ...positionOf('BTCUSD', ['SHORT']) };
  const lost = correct(short, {
    laterPricesOf,
    currentSources: [websocketPrice(1200, WEDNESDAY_MS + 300_000)],
  });
  t.match(lost, {
    isChanged: true,
    position: { current_return: 0, is_closed_position: true, position_type: 'FLAT' },
  });
  t.equal(lost.position.miner_hotkey, HOTKEY);
  t.end();
});

void t.test('candles are needed when every websocket is older than 8 s or broken', (t) => {
  const at = (ageMs: number, price = 100): ReturnType<typeof websocketPrice> =>
    websocketPrice(price, WEDNESDAY_MS - ageMs);
  const needed = (...sources: ReturnType<typeof websocketPrice>[]): boolean =>
    needsRest(sources, WEDNESDAY_MS, GENERATION_2025_05.websocketMaxAgeMs);
  t.equal(needed(), true);
  t.equal(needed(at(8000)), false);
  t.equal(needed(at(8001)), true);
  t.equal(needed(at(8001), at(-8000)), false);
  t.equal(needed(at(0, NaN)), true);
  t.end();
});
