import type { Order, OrderSource, OrderType, Position } from '@ptn-api/protocol';
import type { Market, MarketPair } from '../market/market.ts';
import { hasQuantities } from '../generation.ts';
import type { Generation } from '../generation.ts';
import type { Random } from '../random.ts';
import { eliminationQuantities, withQuantities } from './vanta-orders.ts';

/** How orders of the simulated market are filled. */
export interface OrderRequest {
  readonly pair: MarketPair;
  readonly type: OrderType;
  /** Signed: what it adds to the position's net leverage. */
  readonly leverage: number;
  readonly timeMs: number;
  readonly src?: OrderSource;
  readonly generation: Generation;
  /** The position that it adds to, reduces or closes; undefined where it opens one. */
  readonly before: Position | undefined;
  /** Whether the sources of its price are still known; they are dropped from what is long past. */
  readonly withSources: boolean;
}

export type MarketOrder = Order & Required<Pick<Order, 'bid' | 'ask' | 'slippage' | 'src'>>;

/** One of the price feeds that the validator asks. */
interface PriceFeed {
  readonly source: string;
  readonly websocket: boolean;
}

const FEEDS: readonly [PriceFeed, PriceFeed, PriceFeed, PriceFeed] = [
  { source: 'Polygon_ws', websocket: true },
  { source: 'Polygon_rest', websocket: false },
  { source: 'Tiingo_ws', websocket: true },
  { source: 'Tiingo_rest', websocket: false },
];

function priceSource(market: Market, random: Random, request: OrderRequest, feed: PriceFeed): unknown {
  const lagMs = Math.round(random.exponential(feed.websocket ? 700 : 250));
  const startMs = request.timeMs - lagMs - (feed.websocket ? 0 : 1000);
  const { price, bid, ask } = market.quote(request.pair, startMs);
  const open = market.quote(request.pair, startMs - 1000).price;
  return {
    source: feed.source,
    timespan_ms: feed.websocket ? 0 : 1000,
    open,
    close: price,
    vwap: feed.websocket ? price : null,
    high: Math.max(open, price),
    low: Math.min(open, price),
    start_ms: startMs,
    websocket: feed.websocket,
    lag_ms: lagMs,
    bid,
    ask,
  };
}

/** Sells are filled at the bid, buys at the ask; slippage is some hundred-thousandths of the price, now and then 0. */
export function fillOrder(market: Market, random: Random, request: OrderRequest): MarketOrder {
  const { bid, ask } = market.quote(request.pair, request.timeMs);
  const slippage = random.chance(0.1) ? 0 : Number((0.00001 + random.exponential(0.00006)).toFixed(7));
  const orderUuid = random.uuid();
  const [first, second, third, fourth] = FEEDS;
  const feeds = random.chance(0.5) ? [first, third] : [second, fourth];
  const order: MarketOrder = {
    order_type: request.type,
    leverage: request.leverage,
    price: request.leverage < 0 ? bid : ask,
    bid,
    ask,
    slippage,
    processed_ms: request.timeMs,
    order_uuid: orderUuid,
    price_sources: request.withSources ? feeds.map((feed) => priceSource(market, random, request, feed)) : [],
    src: request.src ?? 0,
  };
  if (!hasQuantities(request.generation)) return order;
  return { ...order, ...withQuantities(market, random, order, request) };
}

/** `timeMs`, or just after the last order of the position: orders of one position never share a time. */
export function timeAfter(position: Position, timeMs: number): number {
  return Math.max(timeMs, (position.orders.at(-1)?.processed_ms ?? 0) + 1);
}

/** The order with which the validator closes a position of an eliminated miner: flat, without a price. */
export function eliminationOrder(position: Position, timeMs: number): MarketOrder {
  return {
    order_type: 'FLAT',
    leverage: 0,
    price: 0,
    bid: 0,
    ask: 0,
    slippage: 0,
    processed_ms: timeAfter(position, timeMs),
    order_uuid: Array.from(position.position_uuid).reverse().join(''),
    price_sources: [],
    src: 1,
    ...eliminationQuantities(position),
  };
}
