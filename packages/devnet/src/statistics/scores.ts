import type { PerformanceCheckpoint } from './portfolio.ts';
import { CHECKPOINT_MS, maxDrawdown } from './portfolio.ts';

const DAY_MS = 2 * CHECKPOINT_MS;
const DAYS_PER_YEAR = 365;

/** A day (UTC) and its return as a fraction: 0.01 is +1 %. */
export interface DailyReturn {
  readonly date: string;
  readonly value: number;
}

/** The returns of whole and begun days, oldest first. */
export function dailyReturns(checkpoints: readonly PerformanceCheckpoint[]): DailyReturn[] {
  const logReturns = new Map<number, number>();
  for (const { last_update_ms: lastMs, accum_ms: accumMs, gain, loss } of checkpoints) {
    const day = Math.floor((lastMs - accumMs) / DAY_MS) * DAY_MS;
    logReturns.set(day, (logReturns.get(day) ?? 0) + gain + loss);
  }
  return Array.from(logReturns, ([day, logReturn]) => ({
    date: new Date(day).toISOString().slice(0, 10),
    value: Math.expm1(logReturn),
  }));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
}

/** A ratio that is 0 where there is nothing to divide by, so that no NaN gets into a file. */
function ratio(above: number, below: number): number {
  return below === 0 ? 0 : above / below;
}

/** Standard deviations of the daily returns over a year; `annual_downside` counts days of loss only. */
export interface Volatility {
  readonly annual: number;
  readonly annual_downside: number;
}

export function volatilityOf(days: readonly DailyReturn[]): Volatility {
  const values = days.map(({ value }) => value);
  const center = mean(values);
  const perYear = Math.sqrt(DAYS_PER_YEAR);
  return {
    annual: Math.sqrt(mean(values.map((value) => (value - center) ** 2))) * perYear,
    annual_downside: Math.sqrt(mean(values.map((value) => Math.min(value, 0) ** 2))) * perYear,
  };
}

/** The metrics that miners are ranked by, from the best known of each kind. */
export const SCORE_NAMES = ['return', 'sharpe', 'sortino', 'omega', 'calmar'] as const;
export type ScoreName = (typeof SCORE_NAMES)[number];

/**
 * `return` the mean daily return over a year; `sharpe` and `sortino` that divided by the yearly volatility and downside
 * volatility; `omega` the sum of winning days by that of losing days; `calmar` the yearly return by the drawdown.
 */
export function scoresOf(
  checkpoints: readonly PerformanceCheckpoint[],
  days: readonly DailyReturn[],
): Record<ScoreName, number> {
  const values = days.map(({ value }) => value);
  const yearly = mean(values) * DAYS_PER_YEAR;
  const volatility = volatilityOf(days);
  const won = values.reduce((sum, value) => sum + Math.max(value, 0), 0);
  const lost = values.reduce((sum, value) => sum - Math.min(value, 0), 0);
  return {
    return: yearly,
    sharpe: ratio(yearly, volatility.annual),
    sortino: ratio(yearly, volatility.annual_downside),
    omega: ratio(won, lost),
    calmar: ratio(yearly, maxDrawdown(checkpoints)),
  };
}

/** A value among those of all miners: rank 1 is the highest, percentile 1 the best. */
export interface Ranked {
  readonly value: number;
  readonly rank: number;
  readonly percentile: number;
}

/** Ranks values, highest first; equal ones in the order given. */
export function rank(values: readonly number[]): Ranked[] {
  const ranks = new Array<number>(values.length).fill(0);
  values
    .map((value, index) => ({ value, index }))
    .sort((a, b) => b.value - a.value)
    .forEach(({ index }, place) => (ranks[index] = place + 1));
  return values.map((value, index) => {
    const place = ranks[index] ?? 0;
    return { value, rank: place, percentile: 1 - (place - 1) / values.length };
  });
}
