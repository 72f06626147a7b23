import { assetClassOf, joinMembers, quote, writeOrder, pythonJsonWriter } from '@ptn-api/positions';
import type { Order, Position, TradePair } from '@ptn-api/protocol';
import type { Generation } from '../generation.ts';
import type { Market } from '../market/market.ts';
import { createRandom } from '../random.ts';
import { orderedPair } from '../records/accounting.ts';
import type { Miner } from '../records/miners.ts';
import { positionsOf } from '../records/miners.ts';
import { unused2026 } from '../records/vanta-orders.ts';

const HOUR_MS = 3_600_000;
/** How long the files of orders that are filled or cancelled stay. */
const KEPT_MS = 24 * HOUR_MS;
/** A miner places one so often, and takes it back after at most so long. */
const PLACED_EVERY_MS = 2 * HOUR_MS;
const MIN_WAITING_MS = HOUR_MS;
const MAX_WAITING_MS = 12 * HOUR_MS;
/** How far from the price the limits lie: further than prices go while the orders wait, so that none of them is filled. */
const DISTANCE = [0.12, 0.25] as const;

/** `src` of orders that wait, were filled, or were cancelled. */
const LIMIT = { waiting: 5, filled: 6, cancelled: 7 } as const;
const BRACKET = { waiting: 8, filled: 9, cancelled: 10 } as const;
type State = keyof typeof LIMIT;

/** The file of a limit order, or of the stop and target of a position. */
export interface LimitOrderText {
  /** Below PTN_ROOT. */
  readonly path: string;
  readonly text: string;
}

/** An order without a fill. */
const NO_FILL = {
  price: 0,
  bid: 0,
  ask: 0,
  slippage: 0,
  quote_usd_rate: 0,
  usd_base_rate: 0,
  price_sources: [],
} as const;

const writePlain = pythonJsonWriter('plain');
const writeFloat = pythonJsonWriter('float');

function pairText([id, name, fee, minLeverage, maxLeverage]: TradePair): string {
  return joinMembers([
    ['trade_pair_id', quote(id)],
    ['trade_pair', quote(name)],
    ['fees', writeFloat(fee)],
    ['min_leverage', writeFloat(minLeverage)],
    ['max_leverage', writePlain(maxLeverage)],
    ['trade_pair_category', writePlain(assetClassOf(id) ?? null)],
  ]);
}

interface LimitOrder {
  readonly hotkey: string;
  readonly pair: TradePair;
  readonly state: State;
  readonly order: Readonly<Record<string, unknown>> & { readonly order_uuid: string };
}

function fileOf({ hotkey, pair, state, order }: LimitOrder): LimitOrderText {
  const folder = state === 'waiting' ? 'unfilled' : 'closed';
  return {
    path: `validation/miners/${hotkey}/limit_orders/${pair[0]}/${folder}/${order.order_uuid}`,
    text: `{"trade_pair": ${pairText(pair)}, ${writeOrder(order).slice(1)}`,
  };
}

/** What a record of this generation holds of an order that it does not make use of. */
function unusedBy(generation: Generation, order: Pick<Order, 'stop_loss' | 'take_profit'>): object {
  return generation === '2026' ? unused2026(order as Order) : {};
}

/** The orders of positions that waited for their price: limits that were filled of late. */
function* filledLimits(position: Position, sinceMs: number): Generator<LimitOrder> {
  for (const order of position.orders) {
    if (order.src !== LIMIT.filled || order.processed_ms < sinceMs) continue;
    yield {
      hotkey: position.miner_hotkey,
      pair: orderedPair(position.trade_pair[0]),
      state: 'filled',
      order: { ...order, value: null, quantity: null, bid: 0, ask: 0, price_sources: [] },
    };
  }
}

/** The stop and target of a position: waiting while it is open; filled, or cancelled by another order, when it closed. */
function* bracketOf(position: Position, generation: Generation, sinceMs: number): Generator<LimitOrder> {
  const { miner_hotkey: hotkey, orders, is_closed_position: isClosed } = position;
  const pair = orderedPair(position.trade_pair[0]);
  const [parent] = orders;
  const last = orders.at(-1);
  if (typeof parent?.stop_loss !== 'number' || last === undefined) return;
  if (isClosed && last.processed_ms < sinceMs) return;
  if (isClosed && last.src === BRACKET.filled) {
    yield { hotkey, pair, state: 'filled', order: { ...last, bid: 0, ask: 0, price_sources: [] } };
    return;
  }
  const state = isClosed ? 'cancelled' : 'waiting';
  const levels = { stop_loss: parent.stop_loss, take_profit: parent.take_profit ?? null };
  const order = {
    order_type: parent.order_type,
    leverage: null,
    value: null,
    quantity: isClosed ? (parent.quantity ?? null) : (position.net_quantity ?? null),
    execution_type: 'BRACKET',
    limit_price: null,
    ...levels,
    ...unusedBy(generation, levels),
    ...NO_FILL,
    processed_ms: isClosed ? last.processed_ms : parent.processed_ms,
    order_uuid: `${parent.order_uuid}-bracket`,
    src: BRACKET[state],
  };
  yield { hotkey, pair, state, order };
}

/** The limits of a miner that lie off the market, some of them taken back already. */
function* distantLimits(
  miner: Miner,
  { seed, market, nowMs }: LimitOrdersInput,
  sinceMs: number,
): Generator<LimitOrder> {
  const offsetMs = createRandom(`${seed}/limits/${miner.hotkey}`).integer(PLACED_EVERY_MS);
  const untilMs = miner.elimination?.elimination_initiated_time_ms ?? Infinity;
  const first = Math.ceil((sinceMs - MAX_WAITING_MS - offsetMs) / PLACED_EVERY_MS);
  for (let index = first; ; index++) {
    const placedMs = index * PLACED_EVERY_MS + offsetMs;
    if (placedMs > Math.min(nowMs, untilMs)) return;
    if (placedMs < miner.joinedMs) continue;
    const random = createRandom(`${seed}/limits/${miner.hotkey}/${placedMs}`);
    const goneMs = Math.min(
      placedMs + Math.floor(random.between(MIN_WAITING_MS, MAX_WAITING_MS)),
      // An eliminated miner has none.
      untilMs,
    );
    const state = goneMs > nowMs ? 'waiting' : 'cancelled';
    if (state === 'cancelled' && goneMs < sinceMs) continue;
    const marketPair = random.pick(miner.pairs);
    const pair = orderedPair(marketPair.id);
    const side = random.chance(0.5) ? 1 : -1;
    const limit = market.price(marketPair, placedMs) * (1 - side * random.between(...DISTANCE));
    const level = (share: number): number => Number((limit * (1 + side * share)).toPrecision(7));
    const levels = random.chance(0.5)
      ? { stop_loss: level(-0.04), take_profit: level(0.08) }
      : { stop_loss: null, take_profit: null };
    const order = {
      order_type: side === 1 ? 'LONG' : 'SHORT',
      leverage: side * pair[3] * (1 + random.integer(5)),
      value: null,
      quantity: null,
      execution_type: 'LIMIT',
      limit_price: level(0),
      ...levels,
      ...unusedBy(miner.generation, levels),
      ...NO_FILL,
      processed_ms: state === 'waiting' ? placedMs : goneMs,
      order_uuid: random.uuid(),
      src: LIMIT[state],
    };
    yield { hotkey: miner.hotkey, pair, state, order };
  }
}

export interface LimitOrdersInput {
  readonly seed: number;
  readonly market: Market;
  readonly miners: readonly Miner[];
  /** Unix ms. */
  readonly nowMs: number;
}

/**
 * The files of all orders that wait for their price, and of those that were filled or cancelled in the last day. They follow
 * from the positions (fills, stops and targets), and from the seed and the time (limits off the market).
 */
export function* limitOrders(input: LimitOrdersInput): Generator<LimitOrderText> {
  const sinceMs = input.nowMs - KEPT_MS;
  for (const miner of input.miners) {
    for (const position of positionsOf(miner)) {
      for (const order of filledLimits(position, sinceMs)) yield fileOf(order);
      for (const order of bracketOf(position, miner.generation, sinceMs)) yield fileOf(order);
    }
    for (const order of distantLimits(miner, input, sinceMs)) yield fileOf(order);
  }
}
