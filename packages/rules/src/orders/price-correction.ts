import { rebuildPosition, refreshPosition } from '@ptn-api/positions';
import type { Order, Position } from '@ptn-api/protocol';
import { PAIRS } from '../trade-pairs.ts';
import type { RulesPair } from '../trade-pairs.ts';
import type { IntakeGeneration } from './generations.ts';
import { distanceMs, fillPrice, sortSources } from './price-source.ts';
import type { PriceSource } from './price-source.ts';
import type { SlippageFeatures } from './slippage-features.ts';

/** What the sources have by now for the time of an order. */
export interface LaterPrices {
  readonly sources: readonly PriceSource[];
  /** The quotes at that time, used where the best source has none. */
  readonly quote?: { readonly bid: number; readonly ask: number } | undefined;
}

export interface CorrectionContext {
  /** Unix ms. */
  readonly nowMs: number;
  readonly laterPricesOf: (order: Order) => LaterPrices;
  /** Of the pair now; none while its market is closed. */
  readonly currentSources: readonly PriceSource[];
  readonly slippageFeaturesOf: (pairId: string, timeMs: number) => SlippageFeatures | undefined;
}

export interface CorrectedPosition {
  readonly position: Position;
  /** Whether the position differs from what it was, so that its file must be written. */
  readonly isChanged: boolean;
  readonly correctedOrders: number;
}

/** Of each source the price that is nearer to the order; the one that is there stays if the later one is no nearer. */
function mergeSources(
  known: readonly PriceSource[],
  later: readonly PriceSource[],
  timeMs: number,
): PriceSource[] {
  const knownByName = new Map(known.map((source) => [source.source, source]));
  const laterByName = new Map(later.map((source) => [source.source, source]));
  const merged = [...laterByName].map(([name, source]) => {
    const before = knownByName.get(name);
    return before === undefined || distanceMs(source, timeMs) < distanceMs(before, timeMs) ? source : before;
  });
  return [
    ...merged,
    ...[...knownByName].filter(([name]) => !laterByName.has(name)).map(([, source]) => source),
  ];
}

/** The order with better prices; `undefined` where there are none. */
function correctOrder(
  order: Order,
  { orders }: Position,
  pair: RulesPair,
  { slippage, capitalUsd }: IntakeGeneration,
  { laterPricesOf, slippageFeaturesOf }: CorrectionContext,
): Order | undefined {
  const { processed_ms: timeMs } = order;
  const later = laterPricesOf(order);
  const sources = sortSources(later.sources, timeMs);
  if (sources.length === 0) return undefined;
  const known = order.price_sources as readonly PriceSource[];
  const merged = mergeSources(known, sources, timeMs);
  const [nearest, ...others] = sortSources(merged, timeMs);
  if (nearest === undefined) return undefined;
  let best = nearest;
  let isBetter = merged.some((source) => !known.includes(source));
  const { bid: laterBid = 0, ask: laterAsk = 0 } = later.quote ?? {};
  const isQuoted = laterBid > 0 && laterAsk > 0 && Number.isFinite(laterBid + laterAsk);
  if ((best.bid === 0 || best.ask === 0) && isQuoted) {
    best = { ...best, bid: laterBid, ask: laterAsk };
    isBetter = true;
  }
  if (!isBetter) return undefined;
  const openedWith = orders[0]?.order_type ?? order.order_type;
  const price = fillPrice(best, pair.assetClass === 'forex', order.order_type, openedWith, timeMs);
  const { bid, ask } = best;
  const { leverage } = order;
  const features = slippageFeaturesOf(pair.id, timeMs);
  const lost = slippage({ pair, leverage, bid, ask, timeMs, capitalUsd, features });
  // A price that a position cannot be accounted with is no better one.
  if (!lost.ok || !(price > 0)) return undefined;
  return { ...order, price, bid, ask, slippage: lost.fraction, price_sources: [best, ...others] };
}

/**
 * Corrects the prices of a position's orders of the last minutes by what the sources have by now, and, while it is open,
 * its returns by the current price. Validators do this about once a minute.
 */
export function correctPrices(
  position: Position,
  generation: IntakeGeneration,
  context: CorrectionContext,
): CorrectedPosition {
  const { nowMs, currentSources } = context;
  const pair = PAIRS.get(position.trade_pair[0]);
  if (pair === undefined) return { position, isChanged: false, correctedOrders: 0 };
  const orders = [...position.orders];
  let correctedOrders = 0;
  for (let index = orders.length - 1; index >= 0; index--) {
    const order = orders[index];
    if (order === undefined || nowMs - order.processed_ms > generation.priceCorrectionMs) break;
    const corrected = correctOrder(order, position, pair, generation, context);
    if (corrected === undefined) continue;
    orders[index] = corrected;
    correctedOrders += 1;
  }
  const rebuilt = correctedOrders === 0 ? position : rebuildPosition(position, orders);
  const [current] = sortSources(currentSources, nowMs);
  const refreshed = current === undefined ? rebuilt : refreshPosition(rebuilt, current.close, nowMs);
  const isChanged = correctedOrders > 0 || refreshed.return_at_close !== position.return_at_close;
  return { position: isChanged ? refreshed : position, isChanged, correctedOrders };
}
