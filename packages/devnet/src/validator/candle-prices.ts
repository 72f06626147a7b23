import { assetClassOf } from '@ptn-api/positions';
import { isMarketOpen, slippageFeatures } from '@ptn-api/rules';
import type { DailyBar, PriceSource, PricesAt, SlippageFeatures } from '@ptn-api/rules';
import { RESOLUTION_MS } from '@ptn-api/scoring';
import type { Resolution } from '@ptn-api/scoring';
import { quotesOf, usualDollars } from '@ptn-api/simulator';
import { dollarsOfBase } from './dollars-of-base.ts';
import type { Prices } from './prices.ts';
import { TYPICAL_FEATURES } from './typical-features.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export interface Candle {
  /** Unix ms. */
  readonly startMs: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** Lots of forex, shares of equities; undefined where the file has no volumes. */
  readonly volume?: number | undefined;
}

/** The candles of a pair. */
export interface CandleSeries {
  readonly pairId: string;
  /** The length of each, in ms. */
  readonly lengthMs: number;
  /** In the order of time, none twice; there may be gaps. At least one. */
  readonly candles: readonly Candle[];
}

const NOTHING: PricesAt = { websocket: [], rest: [] };

/** The index of the last candle that starts no later than `timeMs`; -1 where there is none. */
function indexAt(candles: readonly Candle[], timeMs: number): number {
  let [low, high] = [0, candles.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((candles[middle]?.startMs ?? Infinity) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Prices of the past, as recorded in candles. */
export class CandlePrices implements Prices {
  readonly pairIds: readonly string[];
  readonly span: { readonly fromMs: number; readonly toMs: number };
  readonly #series: ReadonlyMap<string, CandleSeries>;
  readonly #features = new Map<string, SlippageFeatures | undefined>();
  #featuresDay = NaN;

  constructor(series: readonly CandleSeries[]) {
    this.#series = new Map(series.map((one) => [one.pairId, one]));
    this.pairIds = [...this.#series.keys()];
    this.span = {
      fromMs: Math.min(...series.map(({ candles, lengthMs }) => (candles[0]?.startMs ?? NaN) + lengthMs)),
      toMs: Math.max(...series.map(({ candles, lengthMs }) => (candles.at(-1)?.startMs ?? NaN) + lengthMs)),
    };
  }

  at(pairId: string, timeMs: number, knownMs = timeMs): PricesAt {
    const series = this.#openSeries(pairId, timeMs);
    if (series === undefined) return NOTHING;
    const nearest = this.#nearest(series, timeMs, knownMs);
    return nearest === undefined ? NOTHING : { websocket: [], rest: [nearest] };
  }

  quoteAt(pairId: string, timeMs: number): { bid: number; ask: number } | undefined {
    const series = this.#openSeries(pairId, timeMs);
    const source = series && this.#nearest(series, timeMs, Infinity);
    return source && quotesOf(pairId, source.close);
  }

  closeAt(pairId: string, timeMs: number, resolution: Resolution = 'minute'): number | undefined {
    const series = this.#openSeries(pairId, timeMs);
    if (series === undefined) return undefined;
    // Of candles with another length, the one that ends at the same moment.
    const startMs = timeMs + RESOLUTION_MS[resolution] - series.lengthMs;
    const candle = series.candles[indexAt(series.candles, startMs)];
    return candle?.startMs === startMs ? candle.close : undefined;
  }

  slippageFeatures(pairId: string, timeMs: number): SlippageFeatures | undefined {
    const day = Math.floor(timeMs / DAY_MS);
    if (day !== this.#featuresDay) this.#features.clear();
    this.#featuresDay = day;
    if (!this.#features.has(pairId)) this.#features.set(pairId, this.#featuresOn(pairId, day));
    return this.#features.get(pairId);
  }

  #openSeries(pairId: string, timeMs: number): CandleSeries | undefined {
    const assetClass = assetClassOf(pairId);
    const isOpen = assetClass !== undefined && isMarketOpen({ assetClass }, timeMs);
    return isOpen ? this.#series.get(pairId) : undefined;
  }

  /** Of the candles that are over, the one with an end nearest to a time, unless that is too far away to be a price. */
  #nearest(series: CandleSeries, timeMs: number, knownMs: number): PriceSource | undefined {
    const { candles, lengthMs } = series;
    const distanceMs = ({ startMs }: Candle): number =>
      Math.min(Math.abs(timeMs - startMs), Math.abs(timeMs - (startMs + lengthMs - 1)));
    const index = indexAt(candles, timeMs);
    let nearest: Candle | undefined;
    for (const candle of candles.slice(Math.max(index - 1, 0), index + 2)) {
      if (candle.startMs + lengthMs > knownMs) continue;
      if (nearest === undefined || distanceMs(candle) < distanceMs(nearest)) nearest = candle;
    }
    if (nearest === undefined || distanceMs(nearest) > Math.max(2 * lengthMs, MINUTE_MS)) return undefined;
    return sourceOf(series, nearest, distanceMs(nearest));
  }

  #featuresOn(pairId: string, day: number): SlippageFeatures | undefined {
    const series = this.#series.get(pairId);
    const assetClass = assetClassOf(pairId);
    if (series === undefined || assetClass === undefined) return undefined;
    const typical = TYPICAL_FEATURES[assetClass];
    const bars = dailyBars(series, day);
    const priceOf = (id: string): number | undefined => {
      const other = this.#series.get(id);
      return other?.candles[Math.max(indexAt(other.candles, day * DAY_MS), 0)]?.close;
    };
    const known = slippageFeatures([...bars, { close: NaN, volume: NaN }]) ?? typical;
    return {
      annualizedVolatility: known.annualizedVolatility,
      averageDailyVolume:
        known.averageDailyVolume > 0 ? known.averageDailyVolume : typical.averageDailyVolume,
      baseToUsd: dollarsOfBase(pairId, priceOf) ?? usualDollars(pairId.slice(0, 3)),
    };
  }
}

function sourceOf({ pairId, lengthMs }: CandleSeries, candle: Candle, lagMs: number): PriceSource {
  const { startMs, open, high, low, close } = candle;
  // A file has no quotes. Those of crypto are missing in the network's sources, too.
  const quotes = assetClassOf(pairId) === 'crypto' ? undefined : quotesOf(pairId, close);
  const { bid, ask } = quotes ?? { bid: 0, ask: 0 };
  return {
    source: 'Replay_rest',
    timespan_ms: lengthMs,
    open,
    close,
    vwap: close,
    high,
    low,
    start_ms: startMs,
    websocket: false,
    lag_ms: lagMs,
    bid,
    ask,
  };
}

/** The closes and volumes of the days (UTC) before a day, as far as slippage looks back. */
function dailyBars({ candles }: CandleSeries, day: number): DailyBar[] {
  const bars = new Map<number, { close: number; volume: number }>();
  const end = indexAt(candles, day * DAY_MS - 1) + 1;
  for (let index = end - 1; index >= 0; index--) {
    const candle = candles[index];
    if (candle === undefined) break;
    const candleDay = Math.floor(candle.startMs / DAY_MS);
    const bar = bars.get(candleDay);
    if (bar !== undefined) bar.volume += candle.volume ?? NaN;
    else if (bars.size === MAX_BARS) break;
    else bars.set(candleDay, { close: candle.close, volume: candle.volume ?? NaN });
  }
  return [...bars.values()].reverse();
}

/** More than slippage looks back. */
const MAX_BARS = 32;
