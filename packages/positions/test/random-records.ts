import { DAY_MS, TRADE_PAIRS } from '../dist/index.js';
import fc from 'fast-check';
import { CUTOFF, NOW } from './sample-positions.ts';

/** The generations of which records are made up; `unknown` is one that no rules are known of. */
export const RECORD_GENERATIONS = ['2025', 'account-size', 'quantity', '2026', 'unknown'] as const;
export type RecordGeneration = (typeof RECORD_GENERATIONS)[number];

/** Stands in every number and name of what is younger than 24 h, and in nothing else. */
export const YOUNG = '3133731337';

type Json = Record<string, unknown>;

const MAX_SKEW_MS = 300_000;

/** What no form of records has, in lists in lists. Records that count in quantities are `unknown` with it. */
const EXTRA_MEMBER = 'venue_prices';

function withExtra(record: Json, price: number): Json {
  return { ...record, [EXTRA_MEMBER]: [[price], { legs: [[{ price }]] }] };
}

/** A record and its orders without what no form has. */
export function withoutExtras<T extends { readonly orders: readonly object[] }>(record: T): T {
  const drop = (one: object): object =>
    Object.fromEntries(Object.entries(one).filter(([name]) => name !== EXTRA_MEMBER));
  return { ...drop(record), orders: record.orders.map(drop) } as unknown as T;
}

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
    // Several of one time are frequent.
    fc.integer({ min: CUTOFF - 2, max: CUTOFF + 2 }),
    // The validator's clock may be ahead.
    fc.integer({ min: NOW, max: NOW + MAX_SKEW_MS }),
  ),
  type: fc.constantFrom('LONG', 'SHORT', 'FLAT'),
  size: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constant(0)),
  price: fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom(0, 0.5)),
  slippage: fc.constantFrom(0, 0.0001),
  src: fc.constantFrom(0, 1, 2, 3, 4, 6, 9),
  sources: fc.boolean(),
  missing: fc.constantFrom('none', 'value', 'quantity', 'both'),
  rates: fc.constantFrom('given', 'zero', 'absent'),
});

/** The same, placed before the cutoff. */
function longAgo(drawn: Draw): Draw {
  return { ...drawn, timeMs: drawn.timeMs < CUTOFF ? drawn.timeMs : drawn.timeMs - 2 * DAY_MS };
}

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
      bracket_orders: [bracket, { ...bracket, steps: [[marked(2, timeMs)], [{ at: marked(3, timeMs) }]] }],
    });
  }
  return order;
}

export interface RandomRecord {
  readonly generation: RecordGeneration;
  readonly record: Json & { readonly orders: readonly Json[] };
}

/** When a position was closed; null for one that is open. */
type Close = 'open' | 'by-the-newest-order' | 'of-today' | 'long-ago';

function closeMsOf(close: Close, newestMs: number): number | null {
  if (close === 'open') return null;
  if (close === 'of-today') return NOW - 1000;
  return close === 'long-ago' ? CUTOFF - DAY_MS : newestMs;
}

/** What 2026 keeps beside the orders: some of it says of when it is, some does not. */
interface Besides {
  readonly times: readonly number[];
  readonly hasUntimed: boolean;
  readonly pricedMs: number;
  readonly price: 'timed' | 'untimed' | 'none';
  readonly hasRate: boolean;
}

function besidesOf({ times, hasUntimed, pricedMs, price, hasRate }: Besides, closeMs: number | null): Json {
  // Of today, whenever the last order was, while the position is open.
  const untimed = (value: number): number => marked(value, closeMs ?? NOW);
  const entries = (name: object, value: number): Json[] => [
    ...times
      .toSorted((a, b) => a - b)
      .map((time_ms) => ({ ...name, amount: marked(value, time_ms), time_ms })),
    ...(hasUntimed ? [{ ...name, amount: untimed(value) }] : []),
  ];
  const source = price === 'timed' ? priceSource(closeMs === null ? pricedMs : closeMs - 1000) : null;
  return {
    fee_history: entries({ fee_type: 'carry' }, 4),
    is_hl: false,
    is_pro: false,
    last_stock_split_date: null,
    dividend_history: entries({ type: 'short_debit' }, 6),
    last_price_source: price === 'untimed' ? { source: 'Polygon_ws', close: untimed(2) } : source,
    ...(hasRate && { last_quote_usd_conversion: untimed(1) }),
  };
}

const besides: fc.Arbitrary<Besides> = fc.record({
  times: fc.array(
    fc.oneof(
      fc.integer({ min: CUTOFF - DAY_MS, max: NOW + MAX_SKEW_MS }),
      fc.integer({ min: CUTOFF - 1, max: CUTOFF + 1 }),
    ),
    { maxLength: 4 },
  ),
  hasUntimed: fc.boolean(),
  pricedMs: fc.oneof(
    fc.integer({ min: CUTOFF - 1000, max: NOW }),
    fc.integer({ min: CUTOFF - 1, max: CUTOFF + 1 }),
  ),
  price: fc.constantFrom('timed', 'untimed', 'none'),
  hasRate: fc.boolean(),
});

/** A record as a validator of the generation may have left it at `NOW`, with all that may be odd in it. */
export function randomRecord(generation: RecordGeneration): fc.Arbitrary<RandomRecord> {
  return fc
    .record({
      hotkey: fc.constantFrom('5Hotkey', '5Entity_0', '5Entity_12'),
      uuid: fc.uuid(),
      pair: fc.constantFrom(...Object.keys(TRADE_PAIRS)),
      accountSize: fc.constantFrom(0, 100_000),
      draws: fc.oneof(
        fc.array(draw, { minLength: 1, maxLength: 7 }),
        fc.array(draw.map(longAgo), { minLength: 1, maxLength: 7 }),
      ),
      isSorted: fc.boolean(),
      close: fc.constantFrom<Close>('open', 'open', 'by-the-newest-order', 'of-today', 'long-ago'),
      hasExtras: fc.boolean(),
      beside: besides,
    })
    .map(({ hotkey, uuid, pair, accountSize, draws, isSorted, close, hasExtras, beside }) => {
      const drawn = isSorted ? draws.toSorted((a, b) => a.timeMs - b.timeMs) : draws;
      const newestMs = Math.max(...drawn.map(({ timeMs }) => timeMs));
      const closeMs = closeMsOf(close, newestMs);
      const changedMs = Math.max(newestMs, closeMs ?? 0);
      const now = (value: number): number => marked(value, changedMs);
      const isOfQuantities = generation !== '2025' && generation !== 'account-size';
      const orders = drawn.map((one, index) => orderOf(one, index, generation));
      const record: Json & { orders: Json[] } = {
        miner_hotkey: hotkey,
        position_uuid: uuid,
        open_ms: drawn[0]?.timeMs ?? 0,
        trade_pair: TRADE_PAIRS[pair],
        orders,
        current_return: now(1),
        close_ms: closeMs,
        net_leverage: now(0),
        return_at_close: now(1),
        average_entry_price: now(100),
        cumulative_entry_value: now(5),
        realized_pnl: now(0),
        position_type: closeMs === null ? 'LONG' : 'FLAT',
        is_closed_position: closeMs !== null,
      };
      if (generation !== '2025') record['account_size'] = accountSize;
      if (isOfQuantities) {
        Object.assign(record, { net_value: now(7), net_quantity: now(8), unrealized_pnl: now(9) });
      }
      if (generation === '2026') Object.assign(record, besidesOf(beside, closeMs));
      if (generation === 'unknown') {
        // Written anew with every price while it is open.
        const price = marked(1, closeMs ?? NOW);
        const newer = withExtra(record, price);
        return { generation, record: { ...newer, orders: orders.map((order) => withExtra(order, price)) } };
      }
      if (isOfQuantities || !hasExtras) return { generation, record };
      const extended = withExtra(record, now(1));
      return { generation, record: { ...extended, orders: orders.map((order) => withExtra(order, now(2))) } };
    });
}
