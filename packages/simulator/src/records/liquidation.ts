import { MARKET_PAIRS } from '../market/market.ts';
import type { Market, MarketPair } from '../market/market.ts';
import { timeAtTradingMs, tradingMsAt } from '../market/trading-hours.ts';

/** The number of evenly spaced times that are checked. */
const STEPS = 200;
/** Just below the 3 that equities allow, so that an order can be added. */
const LEVERAGE = 2.9;
/** The loss, as a share of the portfolio, that the move has to bring at least: fees and spread make it a bit more. */
const LOSS = 1.02;

/** A bet that loses everything. */
export interface Liquidation {
  readonly pair: MarketPair;
  /** Signed. */
  readonly leverage: number;
  readonly openMs: number;
  /** When all is lost, Unix ms. */
  readonly lostMs: number;
}

/** The first move of an equity in [fromMs, untilMs) that takes everything from a miner at full leverage, if any does. */
export function findLiquidation(market: Market, fromMs: number, untilMs: number): Liquidation | undefined {
  for (const pair of MARKET_PAIRS.filter(({ assetClass }) => assetClass === 'equities')) {
    const start = tradingMsAt(pair.assetClass, fromMs);
    const step = (tradingMsAt(pair.assetClass, untilMs) - start) / STEPS;
    const points = Array.from({ length: STEPS }, (_, index) => {
      const timeMs = Math.floor(timeAtTradingMs(pair.assetClass, start + step * index));
      return { timeMs, price: market.quote(pair, timeMs).price };
    });
    let [highest, lowest] = [points[0], points[0]];
    for (const point of points) {
      if (highest === undefined || point.price > highest.price) highest = point;
      if (lowest === undefined || point.price < lowest.price) lowest = point;
      if ((1 - point.price / highest.price) * LEVERAGE > LOSS) {
        return { pair, leverage: LEVERAGE, openMs: highest.timeMs, lostMs: point.timeMs };
      }
      if ((point.price / lowest.price - 1) * LEVERAGE > LOSS) {
        return { pair, leverage: -LEVERAGE, openMs: lowest.timeMs, lostMs: point.timeMs };
      }
    }
  }
  return undefined;
}
