import type { Order, Position } from '@ptn-api/protocol';
import { listOf, membersOf, numberOf, textOf } from '../../model/members.ts';
import type { Members } from '../../model/members.ts';

/** Where a validator had a price of an order from. Times are Unix ms, durations ms. */
export interface PriceSource {
  readonly source: string;
  readonly startMs: number | null;
  readonly timespanMs: number | null;
  readonly lagMs: number | null;
  readonly open: number | null;
  readonly high: number | null;
  readonly low: number | null;
  readonly close: number | null;
  readonly bid: number | null;
  readonly ask: number | null;
}

const UNKNOWN = '?';
const SIDES = ['LONG', 'SHORT', 'FLAT'] as const;
/** No clock of a browser goes further. */
const MAX_TIME_MS = 8.64e15;

/** Unix ms, or `null` for what no calendar has. */
export function timeOf(value: unknown): number | null {
  const timeMs = numberOf(value);
  return timeMs !== null && timeMs > 0 && timeMs <= MAX_TIME_MS ? timeMs : null;
}

/** What is shown as none, and sorted last. */
const orNone = (value: unknown): number => numberOf(value) ?? NaN;

function sideOf(value: unknown): Order['order_type'] | null {
  return SIDES.find((side) => side === value) ?? null;
}

/** A pair as a list, as an object of later requests, or by its id alone. */
function readPair(value: unknown): Position['trade_pair'] {
  const list = listOf(value);
  const { trade_pair_id: id, trade_pair: name } = membersOf(value);
  const texts = [textOf(list[0]) || textOf(id) || textOf(value), textOf(list[1]) || textOf(name)];
  return [texts[0] || texts[1] || UNKNOWN, texts[1] ?? '', orNone(list[2]), orNone(list[3]), orNone(list[4])];
}

/** Numbers and texts that only some generations write, as far as they are there. */
function present<const Name extends string>(
  members: Members,
  names: readonly Name[],
): { [name in Name]?: number } {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = numberOf(members[name]);
      return value === null ? [] : [[name, value] as const];
    }),
  ) as { [name in Name]?: number };
}

function readOrder(value: unknown, index: number): Order {
  const order = membersOf(value);
  const kind = textOf(order['execution_type']);
  return {
    order_uuid: textOf(order['order_uuid']) || `order ${index}`,
    // Anything else has no side that could be shown.
    order_type: sideOf(order['order_type']) ?? (UNKNOWN as Order['order_type']),
    leverage: orNone(order['leverage']),
    price: orNone(order['price']),
    processed_ms: timeOf(order['processed_ms']) ?? NaN,
    price_sources: listOf(order['price_sources']),
    ...(kind === '' ? {} : { execution_type: kind }),
    ...present(order, ['quantity', 'value', 'limit_price', 'stop_loss', 'take_profit']),
  };
}

/** What is listed twice counts once: rows are identified by their names. */
function once<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  return [...new Map(items.toReversed().map((item) => [nameOf(item), item])).values()].reverse();
}

function readPosition(value: unknown, index: number): Position {
  const position = membersOf(value);
  const side = sideOf(position['position_type']);
  const closeMs = timeOf(position['close_ms']);
  const isClosed = position['is_closed_position'];
  const orders = listOf(position['orders']).map(readOrder);
  return {
    miner_hotkey: textOf(position['miner_hotkey']),
    position_uuid: textOf(position['position_uuid']) || `position ${index}`,
    open_ms: timeOf(position['open_ms']) ?? NaN,
    close_ms: closeMs,
    trade_pair: readPair(position['trade_pair']),
    orders: once(orders, ({ order_uuid: uuid }) => uuid),
    position_type: side,
    net_leverage: orNone(position['net_leverage']),
    average_entry_price: orNone(position['average_entry_price']),
    cumulative_entry_value: orNone(position['cumulative_entry_value']),
    realized_pnl: orNone(position['realized_pnl']),
    current_return: orNone(position['current_return']),
    return_at_close: orNone(position['return_at_close']),
    is_closed_position: typeof isClosed === 'boolean' ? isClosed : closeMs !== null,
    ...present(position, ['net_quantity', 'net_value']),
  };
}

/** Positions of any generation. What is missing is shown as a dash, and what is no object is passed over. */
export function readPositions(value: unknown): readonly Position[] {
  const objects = listOf(value).filter((entry) => Object.keys(membersOf(entry)).length > 0);
  return once(objects.map(readPosition), ({ position_uuid: uuid }) => uuid);
}

export function readSources(order: Order): readonly PriceSource[] {
  return order.price_sources.map((value) => {
    const source = membersOf(value);
    return {
      source: textOf(source['source']) || UNKNOWN,
      startMs: timeOf(source['start_ms']),
      timespanMs: numberOf(source['timespan_ms']),
      lagMs: numberOf(source['lag_ms']),
      open: numberOf(source['open']),
      high: numberOf(source['high']),
      low: numberOf(source['low']),
      close: numberOf(source['close']),
      bid: numberOf(source['bid']),
      ask: numberOf(source['ask']),
    };
  });
}
