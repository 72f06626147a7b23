import { quotedPair } from '@ptn-api/positions';
import type { Order, Position } from '@ptn-api/protocol';
import type { Generation } from '../generation.ts';
import { MARKET_PAIRS } from '../market/market.ts';
import type { Market, MarketPair } from '../market/market.ts';
import type { Random } from '../random.ts';
import { tradePairOf } from './accounting.ts';

const LIMIT_SHARE = 0.2;
const PROTECTED_SHARE = 0.5;
/** Of the closes of positions that have a stop and a target. */
const BRACKET_SHARE = 0.4;

/** US dollars for 1 of a currency. */
function dollarsFor(market: Market, currency: string, timeMs: number): number {
  if (currency === 'USD') return 1;
  const priceOf = (id: string): number | undefined => {
    const pair = MARKET_PAIRS.find((known) => known.id === id);
    return pair === undefined ? undefined : market.quote(pair, timeMs).price;
  };
  const inverse = priceOf(`USD${currency}`);
  const rate = priceOf(`${currency}USD`) ?? (inverse === undefined ? undefined : 1 / inverse);
  if (rate === undefined) throw new RangeError(`no market for ${currency} against the dollar`);
  return rate;
}

/** What orders have since 2026, where nothing makes use of it. */
export function unused2026(order: Order): Partial<Order> {
  const { stop_loss = null, take_profit = null } = order;
  return {
    stop_price: null,
    stop_condition: null,
    trailing_stop: null,
    bracket_orders: stop_loss === null ? null : [{ stop_loss, take_profit }],
    realized_pnl: 0,
    margin_loan: 0,
    is_hl_taker: null,
  };
}

/** How the order came about: at the market, at its limit, or as stop or target of the position that it closes. */
function execution(random: Random, order: Order, before: Position | undefined): Partial<Order> {
  const { price, order_type: type, leverage } = order;
  const none = { limit_price: null, stop_loss: null, take_profit: null };
  const parent = before?.orders[0];
  const { stop_loss: stop, take_profit: target } = parent ?? {};
  if (type === 'FLAT' && parent !== undefined && typeof stop === 'number' && typeof target === 'number') {
    if (!random.chance(BRACKET_SHARE)) return { execution_type: 'MARKET', ...none };
    // Whichever was reached has the price of the fill.
    const isTarget = price > parent.price === target > stop;
    return {
      ...none,
      execution_type: 'BRACKET',
      stop_loss: isTarget ? stop : price,
      take_profit: isTarget ? price : target,
      order_uuid: `${parent.order_uuid}-bracket`,
      slippage: 0,
      src: 9,
    };
  }
  if (type === 'FLAT') return { execution_type: 'MARKET', ...none };
  const side = leverage < 0 ? -1 : 1;
  const away = (share: number): number => Number((price * (1 + side * share)).toPrecision(7));
  const isProtected = before === undefined && random.chance(PROTECTED_SHARE);
  const [stopShare, targetShare] = [random.between(0.02, 0.06), random.between(0.03, 0.1)];
  const levels = isProtected
    ? { stop_loss: away(-stopShare), take_profit: away(targetShare) }
    : { stop_loss: null, take_profit: null };
  if (random.chance(LIMIT_SHARE)) {
    return { execution_type: 'LIMIT', limit_price: price, ...levels, slippage: 0, src: 6 };
  }
  return { execution_type: 'MARKET', limit_price: null, ...levels };
}

/** The order with what validators that count in quantities write of it; value and quantity follow when it is accounted. */
export function withQuantities(
  market: Market,
  random: Random,
  order: Order,
  { pair, generation, before }: { pair: MarketPair; generation: Generation; before: Position | undefined },
): Order {
  const { quote } = quotedPair(tradePairOf(pair.id));
  const quoteRate = dollarsFor(market, quote, order.processed_ms);
  const complete = {
    ...order,
    value: null,
    quantity: null,
    quote_usd_rate: quoteRate,
    usd_base_rate: 1 / (order.price * quoteRate),
    ...execution(random, order, before),
  };
  return generation === '2026' ? { ...complete, ...unused2026(complete) } : complete;
}

/** What the order that takes an eliminated miner out of a position has besides, where the position has quantities. */
export function eliminationQuantities(position: Position): Partial<Order> {
  if (position.net_quantity === undefined) return {};
  const order = {
    value: null,
    quantity: null,
    execution_type: 'MARKET',
    limit_price: null,
    stop_loss: null,
    take_profit: null,
    quote_usd_rate: 0,
    usd_base_rate: 0,
  };
  if (position.fee_history === undefined) return order;
  const flat = { ...order, order_uuid: `${position.position_uuid}-close-1` };
  return { ...flat, ...unused2026(flat as unknown as Order) };
}
