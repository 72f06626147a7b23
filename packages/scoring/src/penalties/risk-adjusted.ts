import { dailyReturns } from '../daily-returns.ts';
import { maxDrawdown } from '../drawdown.ts';
import type { Generation } from '../generations/generation.ts';
import { PORTFOLIO } from '../ledger/checkpoint.ts';
import type { MinerRecord } from '../miner-record.ts';
import { sigmoid } from './sigmoid.ts';

const FLOOR = 0.2;
const SHIFT = 0.6;
const SPREAD = -14;
const MAX_METRIC = 10;
const MINIMUM_DAYS = 60;

/** What the metrics of an asset class should reach. */
const THRESHOLDS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  crypto: { sharpe: 1, sortino: 1, calmar: 2, omega: 1.4 },
  forex: { sharpe: 0.5, sortino: 0.5, calmar: 2, omega: 1.2 },
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The penalty of a return that was bought with risk, in the penalty ledgers since autumn 2025:
 * `0.2 + 0.8 * sigmoid(ratio, 0.6, -14)`, the ratio being the mean of four metrics of the portfolio, each at most 10, beside the
 * mean of what their asset class asks for.
 *
 * @throws RangeError for a class that has no thresholds.
 */
export function riskAdjustedPenalty(miner: MinerRecord, assetClass: string, generation: Generation): number {
  const thresholds = THRESHOLDS[assetClass];
  const segment = generation.segments.find(({ name }) => name === assetClass);
  if (thresholds === undefined || segment === undefined) {
    throw new RangeError(`there are no thresholds for ${assetClass}`);
  }
  const ledger = miner.ledgers?.get(PORTFOLIO);
  const days = dailyReturns(ledger, generation.cellDate, generation.ledger.cellMs);
  const input = {
    returns: days.map(({ logReturn }) => logReturn),
    pnl: days.map(({ pnl }) => pnl),
    drawdown: maxDrawdown(ledger ?? { cps: [] }),
    isWeighted: false,
    bypassConfidence: false,
    terms: { ...generation.metricTerms, daysInYear: segment.daysInYear, minimumDays: MINIMUM_DAYS },
  };
  const reached = generation.metrics
    .filter(({ name }) => Object.hasOwn(thresholds, name))
    .map(({ metric }) => Math.min(metric(input), MAX_METRIC));
  const ratio = mean(reached) / mean(Object.values(thresholds));
  return FLOOR + (1 - FLOOR) * sigmoid(ratio, SHIFT, SPREAD);
}
