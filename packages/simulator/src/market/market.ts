import { assetClassOf, TRADE_PAIRS } from '@ptn-api/positions';
import { createRandomWalk } from './random-walk.ts';
import type { RandomWalk } from './random-walk.ts';
import { tradingMsAt, tradingMsPerYear } from './trading-hours.ts';
import type { AssetClass } from './trading-hours.ts';
import type { Generation } from '../generation.ts';

/** What an asset is worth in US dollars around which its walk goes, and how much it moves in a year. */
interface Asset {
  readonly usd: number;
  /** Standard deviation of the yearly log return. */
  readonly volatility: number;
}

const ASSETS: Readonly<Record<AssetClass, Readonly<Record<string, Asset>>>> = {
  crypto: {
    BTC: { usd: 92_000, volatility: 0.45 },
    ETH: { usd: 3_100, volatility: 0.65 },
    SOL: { usd: 160, volatility: 0.8 },
    XRP: { usd: 2.2, volatility: 0.8 },
    DOGE: { usd: 0.18, volatility: 0.9 },
    ADA: { usd: 0.6, volatility: 0.85 },
    TAO: { usd: 350, volatility: 0.95 },
  },
  forex: {
    EUR: { usd: 1.13, volatility: 0.07 },
    GBP: { usd: 1.31, volatility: 0.07 },
    AUD: { usd: 0.65, volatility: 0.1 },
    NZD: { usd: 0.59, volatility: 0.1 },
    CAD: { usd: 0.72, volatility: 0.06 },
    CHF: { usd: 1.2, volatility: 0.08 },
    USD: { usd: 1, volatility: 0 },
    JPY: { usd: 0.0067, volatility: 0.1 },
    MXN: { usd: 0.052, volatility: 0.13 },
    XAU: { usd: 3_300, volatility: 0.17 },
    XAG: { usd: 36, volatility: 0.3 },
  },
  equities: {
    NVDA: { usd: 150, volatility: 0.5 },
    AAPL: { usd: 220, volatility: 0.3 },
    TSLA: { usd: 320, volatility: 0.65 },
    AMZN: { usd: 210, volatility: 0.33 },
    MSFT: { usd: 460, volatility: 0.25 },
    GOOG: { usd: 180, volatility: 0.31 },
    META: { usd: 620, volatility: 0.36 },
  },
};

/** The share of the price that bid and ask lie apart. */
const SPREAD: Readonly<Record<AssetClass, number>> = { crypto: 0.0001, forex: 0.00006, equities: 0.00012 };

/** A pair that simulated miners trade, with the class that gives its market hours. */
export interface MarketPair {
  readonly id: string;
  readonly assetClass: AssetClass;
}

interface Quote {
  readonly price: number;
  readonly bid: number;
  readonly ask: number;
}

/** Prices as markets print them: about six significant digits. */
function roundPrice(price: number): number {
  const digits = price >= 1000 ? 2 : price >= 10 ? 3 : 5;
  return Number(price.toFixed(digits));
}

/** All pairs that are simulated. Indices are not: validators stopped taking orders for them. */
export const MARKET_PAIRS: readonly MarketPair[] = Object.keys(TRADE_PAIRS).flatMap((id) => {
  const assetClass = pricing(id)?.assetClass;
  return assetClass === undefined ? [] : [{ id, assetClass }];
});

/** Pairs that the first generation does not have: its clients fail on them. */
const LATER_PAIRS: ReadonlySet<string> = new Set(['ADAUSD', 'TAOUSD']);

/** The pairs that validators of a generation take orders for. */
export function pairsOf(generation: Generation): readonly MarketPair[] {
  return generation === '2025' ? MARKET_PAIRS.filter(({ id }) => !LATER_PAIRS.has(id)) : MARKET_PAIRS;
}

/** The quotes around a price, as wide as its market's are. */
function quotesAround(assetClass: AssetClass, price: number): Omit<Quote, 'price'> {
  const halfSpread = (price * SPREAD[assetClass]) / 2;
  return { bid: roundPrice(price - halfSpread), ask: roundPrice(price + halfSpread) };
}

/** The quotes around a price of a pair; undefined for pairs that are not simulated. */
export function quotesOf(pairId: string, price: number): Omit<Quote, 'price'> | undefined {
  const assetClass = pricing(pairId)?.assetClass;
  return assetClass === undefined ? undefined : quotesAround(assetClass, price);
}

/** What a currency is worth in US dollars, about; undefined for others. */
export function usualDollars(currency: string): number | undefined {
  return ASSETS.forex[currency]?.usd;
}

/** The prices of all pairs at any time; the same seed gives the same prices. */
export interface Market {
  /** While the market of the pair is closed: its last price. */
  price(pair: MarketPair, timeMs: number): number;
  /** That price, and the quotes around it. */
  quote(pair: MarketPair, timeMs: number): Quote;
}

interface PricedIn {
  readonly assetClass: AssetClass;
  readonly base: string;
  /** The currency it is quoted in, unless that is the dollar in which all assets are priced. */
  readonly quoted: string | undefined;
}

/** Where the price of a pair comes from; undefined for a pair that is not simulated. */
function pricing(id: string): PricedIn | undefined {
  const assetClass = assetClassOf(id);
  if (assetClass === undefined || assetClass === 'indices') return undefined;
  if (assetClass === 'equities') return { assetClass, base: id, quoted: undefined };
  const quoted = id.slice(-3);
  return { assetClass, base: id.slice(0, -3), quoted: quoted === 'USD' ? undefined : quoted };
}

/**
 * A market in which every asset has a price in dollars that follows a geometric random walk on its market's own clock.
 * A cross such as EURJPY is the ratio of two of them, so that all pairs agree with each other.
 */
export function createMarket(seed: number): Market {
  const walks = new Map<string, RandomWalk>();

  function dollars(assetClass: AssetClass, name: string, tradingMs: number): number {
    const asset = ASSETS[assetClass][name];
    if (asset === undefined) throw new RangeError(`no ${assetClass} asset ${name}`);
    let walk = walks.get(name);
    if (walk === undefined) {
      walk = createRandomWalk(`${seed}/price/${name}`);
      walks.set(name, walk);
    }
    const years = walk(tradingMs) / Math.sqrt(tradingMsPerYear(assetClass));
    return asset.usd * Math.exp(asset.volatility * years);
  }

  /** Not rounded. */
  function worth({ id }: MarketPair, timeMs: number): { assetClass: AssetClass; price: number } {
    const priced = pricing(id);
    if (priced === undefined) throw new RangeError(`no market for ${id}`);
    const { assetClass, base, quoted } = priced;
    const tradingMs = tradingMsAt(assetClass, timeMs);
    const price =
      dollars(assetClass, base, tradingMs) /
      (quoted === undefined ? 1 : dollars(assetClass, quoted, tradingMs));
    return { assetClass, price };
  }

  return {
    price(pair, timeMs) {
      return roundPrice(worth(pair, timeMs).price);
    },
    quote(pair, timeMs) {
      const { assetClass, price } = worth(pair, timeMs);
      return { price: roundPrice(price), ...quotesAround(assetClass, price) };
    },
  };
}
