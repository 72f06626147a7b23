import type { RulesPair } from '../trade-pairs.ts';
import { CRYPTO_SLIPPAGE } from './crypto-slippage.ts';
import { EQUITY_SIZES_USD, EQUITY_SLIPPAGE } from './equity-slippage.ts';
import { newYorkTime } from './new-york.ts';
import type { SlippageFeatures } from './slippage-features.ts';

/** An order whose slippage is asked for. */
export interface SlippageOrder {
  readonly pair: RulesPair;
  /** Signed, as it was sent: before it is clamped or turned into a FLAT. */
  readonly leverage: number;
  readonly bid: number;
  readonly ask: number;
  /** Unix ms. */
  readonly timeMs: number;
  /** US dollars of leverage 1. */
  readonly capitalUsd: number;
  /** Of the pair on the order's day (UTC); crypto needs none. */
  readonly features?: SlippageFeatures | undefined;
}

export type Slippage =
  /** `isModelled` is false for orders without quotes and small ones: Python has an int 0 there, and prints it so. */
  | { readonly ok: true; readonly fraction: number; readonly isModelled: boolean }
  | { readonly ok: false; readonly reason: string };

/** The fraction of the price that an order loses, always to the miner's disadvantage. */
export type SlippageModel = (order: SlippageOrder) => Slippage;

/** What a model computes, before it is cut to the range; a text where it cannot. */
type Fraction = number | string;

const SMALL_ORDER_USD = 1000;
const MAX_FRACTION = 0.03;
/** Forex sizes are counted at this capital of leverage 1, whatever the miner's account. */
const CAPITAL_USD = 100_000;
const LOT_USD = 100_000;
/** Equities were charged like forex up to here, Unix ms. */
const EQUITY_MODEL_AFTER_MS = 1_735_718_400_000;

const V1_CRYPTO: Readonly<Record<string, number | undefined>> = {
  BTCUSD: 0.00001,
  ETHUSD: 0.00001,
  SOLUSD: 0.0001,
  XRPUSD: 0.0001,
  DOGEUSD: 0.0001,
};

function featuresOf({ pair, features }: SlippageOrder): SlippageFeatures | string {
  return features ?? `No volatility and volume of ${pair.id} are known for the day of the order`;
}

/** The share of the spread and of the volatility that a volume pays. */
function spreadAndVolume(
  { bid, ask }: SlippageOrder,
  volume: number,
  { annualizedVolatility, averageDailyVolume }: SlippageFeatures,
): number {
  const bySpread = (0.433 * (ask - bid)) / ((bid + ask) / 2);
  const byVolatility = 0.335 * Math.sqrt(annualizedVolatility ** 2 / 3 / 250);
  return bySpread + byVolatility * Math.sqrt(volume / (0.3 * averageDailyVolume));
}

function v1Forex(order: SlippageOrder): Fraction {
  const features = featuresOf(order);
  if (typeof features === 'string') return features;
  const baseToUsd = order.pair.label.startsWith('USD/') ? 1 : features.baseToUsd;
  if (baseToUsd === undefined) return `No price in USD of the base currency of ${order.pair.id} is known`;
  const lots = (Math.abs(order.leverage) * CAPITAL_USD) / (LOT_USD * baseToUsd);
  return spreadAndVolume(order, lots, features);
}

function v1Equities(order: SlippageOrder): Fraction {
  const features = featuresOf(order);
  if (typeof features === 'string') return features;
  const { pair, leverage, bid, ask, timeMs } = order;
  const sizeUsd = Math.abs(leverage) * CAPITAL_USD;
  const mid = (bid + ask) / 2;
  const shares = sizeUsd / mid;
  if (timeMs <= EQUITY_MODEL_AFTER_MS) return spreadAndVolume(order, shares, features);
  const bucket = EQUITY_SIZES_USD.findIndex((endUsd) => sizeUsd <= endUsd);
  if (bucket === -1) return 'Order size must be less than $300K';
  const coefficients = EQUITY_SLIPPAGE[pair.id]?.[leverage > 0 ? 'buy' : 'sell'][bucket];
  if (coefficients === undefined) return `No slippage of ${pair.id} is known`;
  const [intercept, bySpread, byVolatility, byVolume] = coefficients;
  const { annualizedVolatility, averageDailyVolume } = features;
  return (
    intercept +
    (bySpread * (ask - bid)) / mid +
    byVolatility * annualizedVolatility +
    (byVolume * shares) / averageDailyVolume
  );
}

function unmodelled({ pair }: SlippageOrder): Fraction {
  return `Invalid trade pair ${pair.id} to calculate slippage`;
}

type ClassModels = Readonly<Record<RulesPair['assetClass'], (order: SlippageOrder) => Fraction>>;

function flatCrypto(
  fractions: Readonly<Record<string, number | undefined>>,
): (order: SlippageOrder) => Fraction {
  return ({ pair }) => fractions[pair.id] ?? `Unknown crypto slippage for trade pair ${pair.id}`;
}

const V1: ClassModels = {
  crypto: flatCrypto(V1_CRYPTO),
  forex: v1Forex,
  equities: v1Equities,
  indices: unmodelled,
};

/** The first model with the doubled fractions that crypto had when it was replaced. */
const V1_DOUBLED: ClassModels = {
  ...V1,
  crypto: ({ pair }) => (pair.id === 'BTCUSD' || pair.id === 'ETHUSD' ? 0.00002 : 0.0002),
};

/** Crypto orders lose this many times what was seen. */
const V2_CRYPTO_FACTOR = 3;
/** The hour in which the forex day turns in New York, when quotes are wide. */
const V2_WIDE_HOUR = 17;

function v2Crypto({ pair, leverage, capitalUsd }: SlippageOrder): Fraction {
  const buckets = CRYPTO_SLIPPAGE[pair.id]?.[leverage > 0 ? 'long' : 'short'];
  const sizeUsd = Math.abs(leverage) * capitalUsd;
  const bucket = buckets?.find(([endUsd]) => sizeUsd < endUsd) ?? buckets?.at(-1);
  return bucket === undefined ? `No slippage of ${pair.id} is known` : bucket[1] * V2_CRYPTO_FACTOR;
}

const V2: ClassModels = {
  crypto: v2Crypto,
  forex: ({ timeMs }) =>
    Math.floor(newYorkTime(timeMs).timeOfDayMs / 3_600_000) === V2_WIDE_HOUR ? 0.0005 : 0.0002,
  // Validators took no orders for these any more, so what they would have computed is not known.
  equities: unmodelled,
  indices: unmodelled,
};
const V2_AFTER_MS = 1_759_431_540_000;

function slippageBy(modelsAt: (timeMs: number) => ClassModels): SlippageModel {
  return (order) => {
    const { pair, leverage, bid, ask, timeMs, capitalUsd } = order;
    if (bid * ask === 0 || Math.abs(leverage) * capitalUsd <= SMALL_ORDER_USD) {
      return { ok: true, fraction: 0, isModelled: false };
    }
    const fraction = modelsAt(timeMs)[pair.assetClass](order);
    if (typeof fraction === 'string') return { ok: false, reason: fraction };
    // Bid and ask of opposite signs, or a volume below 0.
    if (Number.isNaN(fraction)) return { ok: false, reason: `Slippage of ${pair.id} is not a number` };
    return { ok: true, fraction: Math.min(Math.max(fraction, 0), MAX_FRACTION), isModelled: true };
  };
}

/** Slippage of the generation 2025-05: by quotes, volatility and volume. */
export const slippageV1: SlippageModel = slippageBy(() => V1);

/** Slippage of the generation 2025-11: since October 2025 by observed losses of each size, and by the hour. */
export const slippageV2: SlippageModel = slippageBy((timeMs) => (timeMs > V2_AFTER_MS ? V2 : V1_DOUBLED));
