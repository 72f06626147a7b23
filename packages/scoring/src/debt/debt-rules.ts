import type { DebtCheckpoint } from './debt-checkpoint.ts';
import type { Earned } from './dust.ts';
import { dayOfMonth, monthOf } from './months.ts';

/** How a generation finds what a miner is owed, and turns it into a weight. */
export interface DebtRules {
  /** Before this (Unix ms) nothing is owed, and everybody gets dust. */
  readonly activeFromMs: number;
  readonly earned: Earned;
  /** What is still owed at `nowMs` (Unix ms), US dollars. */
  readonly remaining: (debt: readonly DebtCheckpoint[], nowMs: number) => number;
  /** Weights of what is owed, before dust. */
  readonly toWeights: (remaining: readonly number[], nowMs: number, projectedDailyUsd: number) => number[];
}

const EARNING = ['MAINCOMP', 'PROBATION'];
/** On this day of the month everything should have been paid. */
const PAYOUT_DAY = 25;
const MAX_PAYOUT_DAYS = 4;

/** Checkpoints of a span whose profit is paid: of miners in the main competition or on probation. */
function earning(debt: readonly DebtCheckpoint[], fromMs: number, endMs: number): DebtCheckpoint[] {
  return debt.filter(
    ({ timestamp_ms: timeMs, challenge_period_status: bucket }) =>
      timeMs >= fromMs && timeMs < endMs && EARNING.includes(bucket),
  );
}

function paid(debt: readonly DebtCheckpoint[], fromMs: number, nowMs: number): number {
  return debt
    .filter(({ timestamp_ms: timeMs }) => timeMs >= fromMs && timeMs <= nowMs)
    .reduce((sum, { chunk_emissions_usd: usd }) => sum + usd, 0);
}

/** Profit of all checkpoints, each times its penalty. */
const netProfit: Earned = (checkpoints) =>
  checkpoints.reduce((sum, { pnl_gain: gain = 0, pnl_loss: loss = 0, total_penalty: penalty }) => {
    return sum + (gain + loss) * penalty;
  }, 0);

/** Realized profit of all checkpoints, each times its penalty, less the open loss of the last. */
const realizedProfit: Earned = (checkpoints) => {
  const last = checkpoints.at(-1);
  const openLoss = last === undefined ? 0 : Math.min(0, last.unrealized_pnl ?? 0) * last.total_penalty;
  return (
    checkpoints.reduce(
      (sum, { realized_pnl: realized = 0, total_penalty: penalty }) => sum + realized * penalty,
      0,
    ) + openLoss
  );
};

/** What is owed for the last month is paid in this one. The weights are the dollars: more than one in all is divided later. */
export const monthlyDebt: DebtRules = {
  activeFromMs: Date.UTC(2025, 11),
  earned: netProfit,
  remaining: (debt, nowMs) => {
    const last = monthOf(nowMs, -1);
    const needed = netProfit(earning(debt, last.startMs, last.endMs));
    return Math.max(0, needed - paid(debt, last.endMs, nowMs));
  },
  toWeights: (remaining) => [...remaining],
};

const CUMULATIVE_FROM_MS = Date.UTC(2025, 10);

/**
 * What was realized since November 2025, less open losses, is owed until it is paid. A day's share of it is put beside what the
 * network will pay that day, so that what is left over is burned; after the 25th all that is owed is paid out.
 */
export const cumulativeDebt: DebtRules = {
  activeFromMs: CUMULATIVE_FROM_MS,
  earned: realizedProfit,
  remaining: (debt, nowMs) => {
    const needed = realizedProfit(earning(debt, CUMULATIVE_FROM_MS, monthOf(nowMs).startMs));
    return Math.max(0, needed - paid(debt, CUMULATIVE_FROM_MS, nowMs));
  },
  toWeights: (remaining, nowMs, projectedDailyUsd) => {
    const daysLeft = PAYOUT_DAY - dayOfMonth(nowMs) + 1;
    if (daysLeft > 0) {
      return remaining.map((usd) => usd / Math.min(daysLeft, MAX_PAYOUT_DAYS) / projectedDailyUsd);
    }
    const sum = remaining.reduce((total, usd) => total + usd, 0);
    return remaining.map((usd) => (sum > 0 ? usd / sum : 0));
  },
};
