import { sliceArray, sliceObject, lastMembers } from '../json/slice.ts';
import { formatFloat } from '../json/format-float.ts';
import type { QuantityOrder } from '../quantity-accounting.ts';
import { RULES_2026 } from '../quantity-rules.ts';
import type { JsonRecord, PositionGeneration, RecordText } from './generation.ts';
import {
  QUANTITY_ORDER_MEMBERS,
  QUANTITY_POSITION_MEMBERS,
  quantityRebuilder,
} from './quantity-rebuilder.ts';

/** Lists of what happened to a position besides its orders; each entry has its `time_ms`. */
const HISTORIES = ['fee_history', 'dividend_history'] as const;

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function timeOf(value: unknown, member: string): number | undefined {
  const timeMs = isRecord(value) ? value[member] : undefined;
  return typeof timeMs === 'number' ? timeMs : undefined;
}

/** When a price was the newest; a candle ends `timespan_ms` after its start. Undefined where it does not say. */
function priceTimeMs(source: unknown): number | undefined {
  const startMs = timeOf(source, 'start_ms');
  if (startMs === undefined) return undefined;
  return startMs + Math.max(timeOf(source, 'timespan_ms') ?? 0, 0);
}

/** Of the entries of a list those that are past, with their bytes. What does not say when it was is left out. */
function pastEntries(
  { text, record, members }: RecordText,
  name: string,
  isPast: (timeMs: number) => boolean,
): string {
  const list = record[name];
  if (!Array.isArray(list)) return '[]';
  const spans = sliceArray(text, members.get(name)?.valueStart);
  const kept = spans.filter((_, index) => {
    const timeMs = timeOf(list[index], 'time_ms');
    return timeMs !== undefined && isPast(timeMs);
  });
  return `[${kept.map(({ start, end }) => text.slice(start, end)).join(', ')}]`;
}

/** The price that the position was last valued at, or that of the newest kept order; `null` where neither is past. */
function pastPriceSource(
  { text, record, members }: RecordText,
  kept: readonly number[],
  isPast: (timeMs: number) => boolean,
): string {
  const isPastSource = (source: unknown): boolean => {
    const timeMs = priceTimeMs(source);
    return timeMs !== undefined && isPast(timeMs);
  };
  const member = members.get('last_price_source');
  if (member !== undefined && isPastSource(record['last_price_source'])) {
    return text.slice(member.valueStart, member.valueEnd);
  }
  const orders = sliceArray(text, members.get('orders')?.valueStart);
  for (const index of kept.toReversed()) {
    const sources = record.orders[index]?.['price_sources'];
    if (!Array.isArray(sources) || !isPastSource(sources[0])) continue;
    const order = lastMembers(sliceObject(text, orders[index]?.start));
    const span = sliceArray(text, order.get('price_sources')?.valueStart)[0];
    if (span !== undefined) return text.slice(span.start, span.end);
  }
  return 'null';
}

/** What stands beside the orders, as it was; `rate` is the text of the newest order's. */
function pastMembers(
  input: RecordText,
  kept: readonly number[],
  isPast: (timeMs: number) => boolean,
  rate: string,
): Map<string, string> {
  const found = new Map<string, string>();
  const has = (name: string): boolean => input.members.has(name);
  for (const name of HISTORIES.filter(has)) found.set(name, pastEntries(input, name, isPast));
  if (has('last_price_source')) found.set('last_price_source', pastPriceSource(input, kept, isPast));
  // The record does not say of when its rate is.
  if (has('last_quote_usd_conversion')) found.set('last_quote_usd_conversion', rate);
  return found;
}

function details(
  input: RecordText,
  kept: readonly number[],
  isPast: (timeMs: number) => boolean,
  orders: readonly QuantityOrder[],
): Map<string, string> {
  return pastMembers(input, kept, isPast, formatFloat(orders.at(-1)?.quote_usd_rate ?? NaN));
}

function pastEntriesOf(input: RecordText, isPast: (timeMs: number) => boolean): Map<string, string> {
  const { orders } = input.record;
  const past = [...orders.keys()].filter((index) => isPast(Number(orders[index]?.['processed_ms'])));
  const rate = orders[past.at(-1) ?? -1]?.['quote_usd_rate'];
  return pastMembers(input, past, isPast, typeof rate === 'number' ? formatFloat(rate) : 'null');
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** When the entries of a list were made; undefined for one that does not say, and for what is no list. */
function timesIn(list: unknown): (number | undefined)[] {
  if (!isGiven(list)) return [];
  return Array.isArray(list) ? list.map((entry) => timeOf(entry, 'time_ms')) : [undefined];
}

function entryTimesMs(record: JsonRecord): number[] {
  const { is_closed_position: isClosed = Boolean(record['close_ms']), last_price_source: source } = record;
  const times = HISTORIES.flatMap((name) => timesIn(record[name]));
  if (isGiven(source)) times.push(priceTimeMs(source));
  // Of when the rate is, no record says.
  if ('last_quote_usd_conversion' in record) times.push(undefined);
  // What does not say may be of today for as long as the position is open; later it is as old as the close.
  return isClosed === true
    ? times.filter((timeMs) => timeMs !== undefined)
    : times.map((timeMs) => timeMs ?? Infinity);
}

/** Since 2026 (Vanta): fees stand in a history of the position and not in its return. */
export const generation2026: PositionGeneration = {
  name: '2026',
  recognises: (record) => Object.hasOwn(record, 'fee_history'),
  delayedByYoungest: true,
  delayed: 'cut',
  rules: {
    positionMembers: new Set([
      ...QUANTITY_POSITION_MEMBERS,
      ...HISTORIES,
      'is_hl',
      'is_pro',
      'last_stock_split_date',
      'last_price_source',
      'last_quote_usd_conversion',
    ]),
    orderMembers: new Set([
      ...QUANTITY_ORDER_MEMBERS,
      'realized_pnl',
      'margin_loan',
      'is_hl_taker',
      'bracket_orders',
      'stop_price',
      'stop_condition',
      'trailing_stop',
    ]),
    rebuilder: quantityRebuilder({ rules: RULES_2026, details }),
    entryTimesMs,
    pastEntries: pastEntriesOf,
  },
};
