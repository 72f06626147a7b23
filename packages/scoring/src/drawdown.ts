import { roundHalfEven } from './numerics/python-round.ts';
import type { PerfLedger } from './ledger/checkpoint.ts';

/** At this drawdown a miner is eliminated, percent. */
export const DRAWDOWN_LIMIT_PERCENT = 10;

/**
 * The deepest drawdown of a ledger as the return that was left, 0 to 1: the least `mdd` of its cells. 0.95 means that 5 % were
 * lost. 0 without cells, which counts as everything lost.
 */
export function maxDrawdown({ cps }: Pick<PerfLedger, 'cps'>): number {
  if (cps.length === 0) return 0;
  let least = Infinity;
  for (const { mdd } of cps) least = Number.isNaN(mdd) ? NaN : Math.min(least, mdd);
  return Math.min(Math.max(least, 0), 1);
}

/** The loss in percent, 0 to 100, of a drawdown as `maxDrawdown` gives it. */
export function drawdownPercent(drawdown: number): number {
  if (drawdown >= 1) return 0;
  return drawdown <= 0 ? 100 : (1 - drawdown) * 100;
}

/** Whether a ledger fell too far, and how far in percent with two decimals. A ledger without cells did not fall. */
export function drawdownState(ledger: PerfLedger | undefined): {
  readonly isBeyondLimit: boolean;
  readonly percent: number;
} {
  if (ledger === undefined || ledger.cps.length === 0) return { isBeyondLimit: false, percent: 0 };
  const percent = drawdownPercent(maxDrawdown(ledger));
  return { isBeyondLimit: percent >= DRAWDOWN_LIMIT_PERCENT, percent: roundHalfEven(percent * 100) / 100 };
}

/** What calmar multiplies a yearly return in percent with: 1 / drawdown in percent, 0 for none and for one at the limit. */
export function riskNormalization(drawdown: number): number {
  if (drawdown <= 0 || drawdown > 1) return 0;
  const percent = drawdownPercent(drawdown);
  return percent >= DRAWDOWN_LIMIT_PERCENT || percent <= 0 ? 0 : 1 / percent;
}

/** The penalty of the drawdown limit: 0 at and beyond it, else 1. A ledger without cells gets 0. */
export function drawdownThresholdPenalty(ledger: Pick<PerfLedger, 'cps'>): number {
  return drawdownPercent(maxDrawdown(ledger)) >= DRAWDOWN_LIMIT_PERCENT ? 0 : 1;
}

/** The deepest fall of a series of daily log returns from its highest point after a day, as a fraction; 0 without days. */
export function deepestDailyFall(logReturns: readonly number[]): number {
  let total = 0;
  let highest = -Infinity;
  let deepest = 0;
  for (const logReturn of logReturns) {
    total += logReturn;
    const value = Math.exp(total);
    highest = Math.max(highest, value);
    deepest = Math.max(deepest, 1 - value / highest);
  }
  return deepest;
}
