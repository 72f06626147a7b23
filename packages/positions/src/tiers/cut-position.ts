import type { OrderType } from '@ptn-api/protocol';
import { formatFloat } from '../json/format-float.ts';
import { lastMembers, sliceArray, sliceObject } from '../json/slice.ts';
import type { Member, Span } from '../json/slice.ts';
import { accountOrders } from '../accounting.ts';
import type { AccountedOrder } from '../accounted-order.ts';
import type { Accounting } from '../accounting.ts';
import { liquidationUuid } from '../rebuild-position.ts';
import { pairTerms } from '../trade-pairs.ts';

export type CutResult =
  | { readonly ok: true; readonly text: string; readonly isPairKnown: boolean }
  | { readonly ok: false; readonly reason: string };

type JsonRecord = Readonly<Record<string, unknown>>;

const ORDER_TYPES: readonly unknown[] = ['LONG', 'SHORT', 'FLAT'] satisfies OrderType[];

/**
 * What a record that is cut may hold, of all generations. Any other member stands in today's file and may tell of today:
 * a newer validator writes it, or a miner's own program.
 */
const POSITION_MEMBERS: ReadonlySet<string> = new Set([
  'miner_hotkey',
  'position_uuid',
  'open_ms',
  'trade_pair',
  'orders',
  'current_return',
  'close_ms',
  'net_leverage',
  'return_at_close',
  'average_entry_price',
  'initial_entry_price',
  'cumulative_entry_value',
  'account_size',
  'realized_pnl',
  'position_type',
  'is_closed_position',
]);
const ORDER_MEMBERS: ReadonlySet<string> = new Set([
  'order_type',
  'leverage',
  'price',
  'bid',
  'ask',
  'slippage',
  'processed_ms',
  'order_uuid',
  'price_sources',
  'src',
]);

/** A number of the record; null stands for the NaN that Python wrote, and counts as it there. */
function numberOf(value: unknown): number | undefined {
  if (value === null) return NaN;
  return typeof value === 'number' ? value : undefined;
}

/** The order as the accounting reads it, or the name of what is missing. */
function accountedOrder(order: JsonRecord): AccountedOrder | string {
  const { order_type: type, slippage = 0, src = 0 } = order;
  if (!ORDER_TYPES.includes(type)) return 'order_type';
  const numbers = {
    leverage: order['leverage'],
    price: order['price'],
    slippage,
    processed_ms: order['processed_ms'],
    src,
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (numberOf(value) === undefined) return name;
  }
  const read = (value: unknown): number => numberOf(value) ?? NaN;
  return {
    order_type: type as OrderType,
    leverage: read(numbers.leverage),
    price: read(numbers.price),
    slippage: read(slippage),
    processed_ms: read(numbers.processed_ms),
    src: read(src),
  };
}

function formatMs(timeMs: number): string {
  return Number.isInteger(timeMs) ? String(timeMs) : formatFloat(timeMs);
}

/** The accounting members as Python writes them, in its order. */
function formatAccounting(accounting: Accounting): Map<string, string> {
  return new Map([
    ['open_ms', formatMs(accounting.open_ms)],
    ['current_return', formatFloat(accounting.current_return)],
    ['close_ms', accounting.close_ms === null ? 'null' : formatMs(accounting.close_ms)],
    ['net_leverage', formatFloat(accounting.net_leverage)],
    ['return_at_close', formatFloat(accounting.return_at_close)],
    ['average_entry_price', formatFloat(accounting.average_entry_price)],
    ['cumulative_entry_value', formatFloat(accounting.cumulative_entry_value)],
    ['realized_pnl', formatFloat(accounting.realized_pnl)],
    ['position_type', `"${accounting.position_type}"`],
    ['is_closed_position', String(accounting.is_closed_position)],
  ]);
}

function formatLiquidationOrder(positionUuid: string, timeMs: number): string {
  return (
    '{"order_type": "FLAT", "leverage": 0.0, "price": 0.0, "bid": 0.0, "ask": 0.0, "slippage": 0.0, ' +
    `"processed_ms": ${formatMs(timeMs)}, "order_uuid": ${JSON.stringify(liquidationUuid(positionUuid))}, ` +
    '"price_sources": [], "src": 1}'
  );
}

type PositionRecord = JsonRecord & {
  readonly position_uuid: string;
  readonly trade_pair: readonly unknown[];
  readonly orders: readonly JsonRecord[];
};

/** A position that is parsed once, to be cut any number of times. */
export interface ParsedPosition {
  readonly text: string;
  readonly record: PositionRecord;
  readonly members: ReadonlyMap<string, Member>;
  /** Of each order in `text`. */
  readonly orderSpans: readonly Span[];
  /** Of each order what is accounted, or the member that cannot be. */
  readonly accounted: readonly (AccountedOrder | string)[];
  /** Index of the order that a liquidation adds; -1 where there is none. */
  readonly liquidationIndex: number;
}

/** A cut position as the text before its orders and the text behind them. */
export type CutParts =
  | { readonly ok: true; readonly head: string; readonly tail: string; readonly isPairKnown: boolean }
  | { readonly ok: false; readonly reason: string };

/** What stands between two orders, and between two members. */
export const CUT_SEPARATOR = ', ';

/** @param text of a position that `readPosition` accepted. */
export function parseForCut(text: string): ParsedPosition {
  const members = lastMembers(sliceObject(text));
  const record = JSON.parse(text) as PositionRecord;
  const liquidation = liquidationUuid(record.position_uuid);
  return {
    text,
    record,
    members,
    orderSpans: sliceArray(text, members.get('orders')?.valueStart),
    accounted: record.orders.map(accountedOrder),
    liquidationIndex: record.orders.findIndex(({ order_uuid: uuid }) => uuid === liquidation),
  };
}

/** The bytes of an order as they stand in the position. */
export function orderText({ text, orderSpans }: ParsedPosition, index: number): string {
  const span = orderSpans[index];
  return span === undefined ? '' : text.slice(span.start, span.end);
}

/** The same without the members that are not known of an order. */
function knownOrderText(parsed: ParsedPosition, index: number): string {
  const text = orderText(parsed, index);
  if (Object.keys(parsed.record.orders[index] ?? {}).every((key) => ORDER_MEMBERS.has(key))) return text;
  const known = [...lastMembers(sliceObject(text))].filter(([key]) => ORDER_MEMBERS.has(key));
  return `{${known.map(([, { keyStart, valueEnd }]) => text.slice(keyStart, valueEnd)).join(CUT_SEPARATOR)}}`;
}

/**
 * What stands around the kept orders of a cut position, which are joined by {@link CUT_SEPARATOR} between `head` and
 * `tail`. Costs as much as there are orders and carry intervals, not as much as they are long.
 *
 * @param kept indexes of at least one order, rising.
 * @param isKept tells of a member whether it may be there.
 */
export function cutAround(
  { text, record, members, accounted, liquidationIndex }: ParsedPosition,
  kept: readonly number[],
  isKept: (member: string) => boolean = () => true,
): CutParts {
  const orders: AccountedOrder[] = [];
  for (const index of kept) {
    const order = accounted[index] ?? 'order_type';
    if (typeof order === 'string') return { ok: false, reason: `order ${index} has no usable ${order}` };
    orders.push(order);
  }
  const { isKnown, ...terms } = pairTerms(record.trade_pair);
  const accountSize = Object.hasOwn(record, 'account_size')
    ? (numberOf(record['account_size']) ?? NaN)
    : undefined;
  const result = accountOrders(orders, { ...terms, accountSize });
  if (!result.ok) return result;
  const { accounting, initialPrice, isLiquidated } = result;
  const added =
    isLiquidated && !kept.includes(liquidationIndex)
      ? CUT_SEPARATOR + formatLiquidationOrder(record.position_uuid, accounting.close_ms ?? NaN)
      : '';
  const replacements = formatAccounting(accounting);
  // Records of 2024 hold it; later ones do not.
  if (members.has('initial_entry_price')) replacements.set('initial_entry_price', formatFloat(initialPrice));
  let head = '';
  const pieces: string[] = [];
  for (const [key, { keyStart, valueStart, valueEnd }] of members) {
    if (key === 'orders') {
      pieces.push(`${text.slice(keyStart, valueStart)}[`);
      head = pieces.splice(0).join(CUT_SEPARATOR);
      pieces.push(`${added}]`);
      continue;
    }
    if (!isKept(key)) continue;
    const replacement = replacements.get(key) ?? text.slice(valueStart, valueEnd);
    replacements.delete(key);
    pieces.push(text.slice(keyStart, valueStart) + replacement);
  }
  for (const [key, value] of replacements) pieces.push(`"${key}": ${value}`);
  return { ok: true, head: `{${head}`, tail: `${pieces.join(CUT_SEPARATOR)}}`, isPairKnown: isKnown };
}

/**
 * A position as it stood after some of its orders. Orders that are kept and members that do not follow from them keep
 * their bytes; the accounting members are replaced, or added where they are missing. Members that are not known are left
 * out, and of a key that stands twice only the last is kept: the others could show what the cut is to hide.
 *
 * @param text of a position that `readPosition` accepted, of the generations 2025 and account-size.
 * @param keep tells by its index which order is kept.
 */
export function cutPosition(text: string, keep: (index: number) => boolean): CutResult {
  const parsed = parseForCut(text);
  const kept = [...parsed.orderSpans.keys()].filter(keep);
  const cut = cutAround(parsed, kept, (member) => POSITION_MEMBERS.has(member));
  if (!cut.ok) return cut;
  const list = kept.map((index) => knownOrderText(parsed, index)).join(CUT_SEPARATOR);
  return { ok: true, text: cut.head + list + cut.tail, isPairKnown: cut.isPairKnown };
}
