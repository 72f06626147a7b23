import { createHash } from 'node:crypto';
import { assetClassOf } from '@ptn-api/positions';
import { isMarketOpen, slippageFeatures } from '@ptn-api/rules';
import type { DailyBar, PriceSource, PricesAt, SlippageFeatures } from '@ptn-api/rules';
import { RESOLUTION_MS } from '@ptn-api/scoring';
import type { Resolution } from '@ptn-api/scoring';
import { createMarket, MARKET_PAIRS, mixBits } from '@ptn-api/simulator';
import type { Market, MarketPair } from '@ptn-api/simulator';
import { dollarsOfBase } from './dollars-of-base.ts';
import type { Prices } from './prices.ts';
import { TYPICAL_FEATURES } from './typical-features.ts';

const DAY_MS = 86_400_000;

/** A source that reports what happens on a market now and then, and a little late. */
interface Feed {
  readonly source: string;
  /** From one event to the next. */
  readonly everyMs: number;
  /** By how much the time of an event varies, at most {@link everyMs}. */
  readonly jitterMs: number;
  /** From an event until the validator has it. */
  readonly delayMs: number;
}

const FEEDS: readonly Feed[] = [
  { source: 'Polygon_ws', everyMs: 1000, jitterMs: 0, delayMs: 150 },
  { source: 'Tiingo_ws', everyMs: 3000, jitterMs: 2000, delayMs: 600 },
];

/** The day's bars that the features of slippage are made of, with weekends in between. */
const BAR_DAYS = 50;
const NOTHING: PricesAt = { websocket: [], rest: [] };
const PAIRS_BY_ID: ReadonlyMap<string, MarketPair> = new Map(MARKET_PAIRS.map((pair) => [pair.id, pair]));

/** The random walks of the simulated market, as the network's price sources would report them. */
export class RandomPrices implements Prices {
  readonly pairIds = [...PAIRS_BY_ID.keys()];
  readonly span = { fromMs: 0, toMs: Infinity };
  readonly #market: Market;
  readonly #key: number;
  /** Of one day by pair; a validator asks for one day at a time. */
  readonly #features = new Map<string, SlippageFeatures | undefined>();
  #featuresDay = NaN;

  constructor(seed: number) {
    this.#market = createMarket(seed);
    this.#key = createHash('sha256').update(`${seed}/events`).digest().readUInt32LE(0);
  }

  at(pairId: string, timeMs: number, knownMs = timeMs): PricesAt {
    const pair = this.#openPair(pairId, timeMs);
    if (pair === undefined) return NOTHING;
    const websocket = FEEDS.flatMap((feed) => this.#nearestEvent(pair, feed, timeMs, knownMs) ?? []);
    return { websocket, rest: [] };
  }

  quoteAt(pairId: string, timeMs: number): { bid: number; ask: number } | undefined {
    const pair = this.#openPair(pairId, timeMs);
    return pair === undefined ? undefined : this.#market.quote(pair, timeMs);
  }

  closeAt(pairId: string, timeMs: number, resolution: Resolution = 'minute'): number | undefined {
    const pair = this.#openPair(pairId, timeMs);
    if (pair === undefined) return undefined;
    return this.#market.price(pair, timeMs + RESOLUTION_MS[resolution] - 1);
  }

  slippageFeatures(pairId: string, timeMs: number): SlippageFeatures | undefined {
    const day = Math.floor(timeMs / DAY_MS);
    if (day !== this.#featuresDay) this.#features.clear();
    this.#featuresDay = day;
    if (!this.#features.has(pairId)) this.#features.set(pairId, this.#featuresOn(pairId, day));
    return this.#features.get(pairId);
  }

  #openPair(pairId: string, timeMs: number): MarketPair | undefined {
    const pair = PAIRS_BY_ID.get(pairId);
    return pair !== undefined && isMarketOpen(pair, timeMs) ? pair : undefined;
  }

  #nearestEvent(pair: MarketPair, feed: Feed, timeMs: number, knownMs: number): PriceSource | undefined {
    const { everyMs, delayMs } = feed;
    const index = Math.floor(timeMs / everyMs);
    let nearestMs: number | undefined;
    for (let event = index - 2; event <= index + 1; event++) {
      const eventMs = this.#eventMs(pair, feed, event);
      if (eventMs + delayMs > knownMs || !isMarketOpen(pair, eventMs)) continue;
      const isNearer = nearestMs === undefined || Math.abs(eventMs - timeMs) < Math.abs(nearestMs - timeMs);
      if (isNearer) nearestMs = eventMs;
    }
    return nearestMs === undefined ? undefined : this.#event(pair, feed, nearestMs, timeMs);
  }

  /** The time of an event, which is the same whenever it is asked for. */
  #eventMs({ id }: MarketPair, { source, everyMs, jitterMs }: Feed, event: number): number {
    let place = this.#key;
    for (const character of source + id) place = mixBits(place ^ character.charCodeAt(0));
    const share = mixBits(place ^ event) / 2 ** 32;
    return event * everyMs + Math.floor(share * jitterMs);
  }

  #event(pair: MarketPair, { source }: Feed, eventMs: number, timeMs: number): PriceSource {
    const { price: middle, bid, ask } = this.#market.quote(pair, eventMs);
    const isForex = pair.assetClass === 'forex';
    // Events of forex hold its bid; those of crypto are trades, which have no quotes.
    const price = isForex ? bid : middle;
    const hasQuotes = pair.assetClass !== 'crypto';
    return {
      source,
      timespan_ms: 0,
      open: price,
      close: price,
      vwap: price,
      high: price,
      low: price,
      start_ms: eventMs,
      websocket: true,
      lag_ms: Math.abs(timeMs - eventMs),
      bid: hasQuotes ? bid : 0,
      ask: hasQuotes ? ask : 0,
    };
  }

  #featuresOn(pairId: string, day: number): SlippageFeatures | undefined {
    const pair = PAIRS_BY_ID.get(pairId);
    const assetClass = assetClassOf(pairId);
    if (pair === undefined || assetClass === undefined) return undefined;
    const { averageDailyVolume } = TYPICAL_FEATURES[assetClass];
    const bars: DailyBar[] = [];
    for (let before = BAR_DAYS; before >= 0; before--) {
      const noonMs = (day - before) * DAY_MS + DAY_MS / 2;
      // What the day brought is known on the next: of weekends there are no bars.
      if (before > 0 && !isWeekday(noonMs) && assetClass !== 'crypto') continue;
      const close = this.#market.price(pair, (day - before + 1) * DAY_MS - 1);
      bars.push({ close, volume: averageDailyVolume });
    }
    const features = slippageFeatures(bars);
    if (features === undefined) return undefined;
    const priceOf = (id: string): number | undefined => {
      const other = PAIRS_BY_ID.get(id);
      return other === undefined ? undefined : this.#market.price(other, day * DAY_MS);
    };
    return { ...features, baseToUsd: dollarsOfBase(pairId, priceOf) };
  }
}

function isWeekday(timeMs: number): boolean {
  const weekday = new Date(timeMs).getUTCDay();
  return weekday >= 1 && weekday <= 5;
}
