import { DAY_MS, TRADE_PAIRS } from '../dist/index.js';
import fc from 'fast-check';
import { CUTOFF, NOW } from './sample-positions.ts';

/** The generations of which records are made up; `unknown` is one that no rules are known of. */
export const RECORD_GENERATIONS = ['2025', 'account-size', 'quantity', '2026', 'unknown'] as const;
export type RecordGeneration = (typeof RECORD_GENERATIONS)[number];

/** Stands in every number and name of what is younger than 24 h, and in nothing else. */
export const YOUNG = '3133731337';

type Json = Record<string, unknown>;

interface Draw {
  readonly timeMs: number;
  readonly type: 'LONG' | 'SHORT' | 'FLAT';
  /** Hundredths. */
  readonly size: number;
  readonly price: number;
  readonly slippage: number;
  readonly src: number;
  readonly sources: boolean;
  /** Which of value and quantity is null. */
  readonly missing: 'none' | 'value' | 'quantity' | 'both';
  readonly rates: 'given' | 'zero' | 'absent';
}

const draw: fc.Arbitrary<Draw> = fc.record({
  timeMs: fc.oneof(
    fc.integer({ min: CUTOFF - 9 * DAY_MS, max: CUTOFF - 1 }),
    fc.integer({ min: CUTOFF, max: NOW }),
    fc.integer({ min: CUTOFF - 2, max: CUTOFF + 2 }),
  ),
  type: fc.constantFrom('LONG', 'SHORT', 'FLAT'),
  size: fc.integer({ min: 0, max: 200 }),
  price: fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom(0, 0.5)),
  slippage: fc.constantFrom(0, 0.0001),
  src: fc.constantFrom(0, 1, 2, 3, 4, 6, 9),
  sources: fc.boolean(),
  missing: fc.constantFrom('none', 'value', 'quantity', 'both'),
  rates: fc.constantFrom('given', 'zero', 'absent'),
});

const isYoung = (timeMs: number): boolean => timeMs >= CUTOFF;

/** A number that tells by its digits where it is from something young. */
function marked(value: number, timeMs: number): number {
  return isYoung(timeMs) ? Number(`${Math.trunc(value)}.${YOUNG}`) : value;
}

function namedFor(name: string, timeMs: number): string {
  return isYoung(timeMs) ? `${name}-${YOUNG}` : name;
}

function priceSource(timeMs: number): Json {
  return {
    source: namedFor('Polygon_ws', timeMs),
    timespan_ms: 0,
    start_ms: timeMs,
    close: marked(2, timeMs),
  };
}

function orderOf(drawn: Draw, index: number, generation: RecordGeneration): Json {
  const { timeMs, type, size, src } = drawn;
  const sign = type === 'SHORT' ? -1 : 1;
  const of = (value: number): number => sign * marked(value, timeMs);
  const price = drawn.price === 0 ? 0 : marked(drawn.price, timeMs);
  const order: Json = {
    order_type: type,
    leverage: of(size / 100),
    price,
    bid: price,
    ask: price,
    slippage: drawn.slippage,
    processed_ms: timeMs,
    order_uuid: namedFor(`order-${index}`, timeMs),
    price_sources: drawn.sources ? [priceSource(timeMs)] : [],
    src,
  };
  if (generation === '2025' || generation === 'account-size') return order;
  const isMissing = (member: 'value' | 'quantity'): boolean =>
    drawn.missing === member || drawn.missing === 'both';
  Object.assign(order, {
    value: isMissing('value') ? null : of(size * 10),
    quantity: isMissing('quantity') ? null : of(size / 50),
    execution_type: src === 6 ? 'LIMIT' : src === 9 ? 'BRACKET' : 'MARKET',
    limit_price: src === 6 ? price : null,
    stop_loss: marked(1, timeMs),
    take_profit: null,
  });
  if (drawn.rates !== 'absent') {
    const rate = drawn.rates === 'zero' ? 0 : marked(1, timeMs);
    Object.assign(order, { quote_usd_rate: rate, usd_base_rate: rate });
  }
  if (generation === '2026') {
    const bracket = { stop_loss: marked(1, timeMs), take_profit: null };
    Object.assign(order, {
      realized_pnl: marked(3, timeMs),
      margin_loan: 0,
      is_hl_taker: null,
      bracket_orders: [bracket],
    });
  }
  return order;
}

export interface RandomRecord {
  readonly generation: RecordGeneration;
  readonly record: Json & { readonly orders: readonly Json[] };
}

/** A record as a validator of the generation may have left it at `NOW`, with all that may be odd in it. */
export function randomRecord(generation: RecordGeneration): fc.Arbitrary<RandomRecord> {
  return fc
    .record({
      uuid: fc.uuid(),
      pair: fc.constantFrom(...Object.keys(TRADE_PAIRS)),
      accountSize: fc.constantFrom(0, 100_000),
      draws: fc.array(draw, { minLength: 1, maxLength: 7 }),
      isSorted: fc.boolean(),
      isClosed: fc.boolean(),
      entryTimes: fc.array(fc.integer({ min: CUTOFF - DAY_MS, max: NOW }), { maxLength: 4 }),
      pricedMs: fc.integer({ min: CUTOFF - 1000, max: NOW }),
    })
    .map(({ uuid, pair, accountSize, draws, isSorted, isClosed, entryTimes, pricedMs }) => {
      const drawn = isSorted ? draws.toSorted((a, b) => a.timeMs - b.timeMs) : draws;
      const newestMs = Math.max(...drawn.map(({ timeMs }) => timeMs));
      const now = (value: number): number => marked(value, newestMs);
      const record: Json & { orders: Json[] } = {
        miner_hotkey: '5Hotkey',
        position_uuid: uuid,
        open_ms: drawn[0]?.timeMs ?? 0,
        trade_pair: TRADE_PAIRS[pair],
        orders: drawn.map((one, index) => orderOf(one, index, generation)),
        current_return: now(1),
        close_ms: isClosed ? newestMs : null,
        net_leverage: now(0),
        return_at_close: now(1),
        average_entry_price: now(100),
        cumulative_entry_value: now(5),
        realized_pnl: now(0),
        position_type: isClosed ? 'FLAT' : 'LONG',
        is_closed_position: isClosed,
      };
      if (generation !== '2025') record['account_size'] = accountSize;
      if (generation === 'quantity' || generation === '2026' || generation === 'unknown') {
        Object.assign(record, { net_value: now(7), net_quantity: now(8), unrealized_pnl: now(9) });
      }
      if (generation === 'unknown') record['net_margin'] = now(1);
      if (generation === '2026') {
        const entries = entryTimes.toSorted((a, b) => a - b);
        Object.assign(record, {
          fee_history: entries.map((timeMs) => ({
            fee_type: 'carry',
            amount: marked(4, timeMs),
            time_ms: timeMs,
          })),
          is_hl: false,
          is_pro: false,
          last_stock_split_date: null,
          dividend_history: entries.map((timeMs) => ({
            type: 'short_debit',
            amount: marked(6, timeMs),
            time_ms: timeMs,
          })),
          last_price_source: priceSource(isClosed ? newestMs - 1000 : pricedMs),
          // Of today, whenever the last order was, while the position is open.
          last_quote_usd_conversion: marked(1, isClosed ? newestMs : NOW),
        });
      }
      return { generation, record };
    });
}
