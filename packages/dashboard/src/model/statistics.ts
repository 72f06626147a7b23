import type { EliminationsDocument, MinerStatistics } from '@ptn-api/client';
import { membersOf, numberOf, textOf } from './members.ts';
import type { Members } from './members.ts';
import type { CurvePoint } from './miners.ts';

export interface Score {
  readonly name: string;
  readonly value: number | null;
  readonly rank: number | null;
  /** From 0 to 1. */
  readonly percentile: number | null;
}

export interface StatisticsRow {
  readonly hotkey: string;
  /** Of the challenge period: `success`, `testing`. */
  readonly status: string;
  readonly weight: number | null;
  readonly rank: number | null;
  readonly penalty: number | null;
  /** From 0 to 1. */
  readonly drawdown: number | null;
  /** Per year, from 0. */
  readonly volatility: number | null;
  readonly scores: readonly Score[];
  /** One for each day, in percent. */
  readonly dailyReturns: readonly CurvePoint[];
}

export function readScore(name: string, value: unknown): Score {
  const { value: score, rank, percentile } = membersOf(value);
  return { name, value: numberOf(score), rank: numberOf(rank), percentile: numberOf(percentile) };
}

/** Validators write a day's return in percent. */
function readDays(days: unknown): CurvePoint[] {
  if (!Array.isArray(days)) return [];
  const byTime = new Map<number, number>();
  for (const entry of days) {
    const { date, value } = membersOf(entry);
    const timeMs = typeof date === 'string' ? Date.parse(`${date.slice(0, 10)}T00:00:00Z`) : NaN;
    const percent = numberOf(value);
    if (!Number.isNaN(timeMs) && percent !== null) byTime.set(timeMs / 1000, percent);
  }
  return [...byTime].map(([time, percent]) => ({ time, value: percent })).sort((a, b) => a.time - b.time);
}

/**
 * How much a miner has lost at most, from 0 to 1. The network's validators write what was left of the highest value; others
 * write what was lost.
 */
export function drawdownOf(element: Members): number | null {
  const drawdowns = membersOf(element['drawdowns']);
  const left = numberOf(drawdowns['max_drawdown']);
  if (left !== null) return 1 - left;
  return numberOf(drawdowns['instantaneous_max_drawdown']) ?? numberOf(drawdowns['daily_max_drawdown']);
}

/** One element of the statistics file as the page shows it. */
export function statisticsRow(element: MinerStatistics): StatisticsRow {
  const weight = membersOf(element['weight']);
  const { status } = membersOf(element['challengeperiod']);
  return {
    hotkey: element.hotkey,
    status: textOf(status),
    weight: numberOf(weight['value']),
    rank: numberOf(weight['rank']),
    penalty: numberOf(membersOf(element['penalties'])['total']),
    drawdown: drawdownOf(element),
    volatility: numberOf(membersOf(element['volatility'])['annual']),
    scores: Object.entries(membersOf(element['augmented_scores'] ?? element['scores'])).map(([name, value]) =>
      readScore(name, value),
    ),
    dailyReturns: readDays(element['daily_returns']),
  };
}

/** Daily returns, one upon the other. */
export function compounded(days: readonly CurvePoint[]): CurvePoint[] {
  let product = 1;
  return days.map(({ time, value }) => {
    product *= 1 + value / 100;
    return { time, value: (product - 1) * 100 };
  });
}

export interface EliminationRow {
  readonly hotkey: string;
  readonly reason: string;
  /** From 0 to 1. */
  readonly drawdown: number | null;
  /** Unix ms. */
  readonly sinceMs: number | null;
}

/** The reasons of which `dd` is a drawdown in percent; of others it is a score, or nothing. */
const WITH_DRAWDOWN = /DRAWDOWN|^FAILED_CHALLENGE_PERIOD_TIME$/;

/** From 0 to 1. A miner whose challenge period was over without anything to score has -1. */
function drawdownAtElimination(reason: unknown, dd: unknown): number | null {
  const percent = numberOf(dd);
  const isDrawdown = typeof reason === 'string' && WITH_DRAWDOWN.test(reason);
  return isDrawdown && percent !== null && percent >= 0 ? percent / 100 : null;
}

/** The validator's file of eliminations, a list by itself or under its name. */
export function eliminationRows(document: EliminationsDocument): EliminationRow[] {
  const list: unknown = 'eliminations' in document ? document.eliminations : document;
  if (!Array.isArray(list)) return [];
  return list.map(membersOf).flatMap(({ hotkey, reason, dd, elimination_initiated_time_ms: since }) =>
    typeof hotkey === 'string'
      ? [
          {
            hotkey,
            reason: textOf(reason),
            drawdown: drawdownAtElimination(reason, dd),
            sinceMs: numberOf(since),
          },
        ]
      : [],
  );
}
