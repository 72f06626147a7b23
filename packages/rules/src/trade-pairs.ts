import type { TradePair } from '@ptn-api/protocol';
import { TRADE_PAIRS, assetClassOf, pairTerms } from '@ptn-api/positions';
import type { AssetClass } from '@ptn-api/positions';

/** A trade pair as the network's rules know it. */
export interface RulesPair {
  readonly id: string;
  /** `BTC/USD`; an equity or index is its id. */
  readonly label: string;
  readonly assetClass: AssetClass;
  /** Fraction; orders since the slippage model do not pay it. */
  readonly fee: number;
  /** Least absolute net leverage of an open position. */
  readonly minLeverage: number;
  /** Greatest absolute net leverage of a position while the pair is traded. */
  readonly maxLeverage: number;
  /** What one unit of leverage counts for in the portfolio leverage. */
  readonly multiplier: number;
  /** As it stands in position files, with the fee of its first days. */
  readonly record: TradePair;
}

const MULTIPLIERS: Readonly<Record<AssetClass, number>> = { crypto: 10, forex: 1, equities: 2, indices: 1 };

/** Every pair of every generation by its id; `generations.ts` says which of them a generation trades. */
export const PAIRS: ReadonlyMap<string, RulesPair> = new Map(
  Object.entries(TRADE_PAIRS).flatMap(([id, record]): [string, RulesPair][] => {
    const assetClass = assetClassOf(id);
    if (record === undefined || assetClass === undefined) return [];
    const [, label, , minLeverage, maxLeverage] = record;
    const { fee } = pairTerms(record);
    const multiplier = MULTIPLIERS[assetClass];
    return [[id, { id, label, assetClass, fee, minLeverage, maxLeverage, multiplier, record }]];
  }),
);
