import type { Elimination } from '../eliminations/elimination.ts';
import type { Weights } from '../weights/weigh-rule.ts';
import { challenge2024 } from './challenge.ts';
import type { Challenge2024, ChallengePosition } from './challenge.ts';
import type { Cell2024 } from './cell-weights.ts';
import { scores2024 } from './scores.ts';

const DAY_MS = 86_400_000;
const CHALLENGE_WEIGHT = 5.4e-6;
const TOTAL_DRAWDOWN = 0.9;
const DAILY_DRAWDOWN = 0.95;
const DAILY_CHECK_MS = 5 * 60_000;

export interface Miner2024 {
  readonly hotkey: string;
  readonly cells: readonly Cell2024[];
  readonly positions: readonly ChallengePosition[];
}

/** The weights of spring 2024 at `nowMs` (Unix ms), and where each miner stands in its challenge. */
export function round2024(
  miners: readonly Miner2024[],
  nowMs: number,
): { readonly weights: Weights; readonly challenge: ReadonlyMap<string, Challenge2024> } {
  const challenge = new Map(miners.map(({ hotkey, positions }) => [hotkey, challenge2024(positions, nowMs)]));
  const standing = (wanted: Challenge2024): Miner2024[] =>
    miners.filter(({ hotkey }) => challenge.get(hotkey) === wanted);
  const passed = scores2024(new Map(standing('passed').map(({ hotkey, cells }) => [hotkey, cells])), nowMs);
  const others = (wanted: Challenge2024, weight: number): [string, number][] =>
    standing(wanted).map(({ hotkey }) => [hotkey, weight]);
  return { weights: [...passed, ...others('running', CHALLENGE_WEIGHT), ...others('failed', 0)], challenge };
}

/**
 * The row of a miner whose portfolio fell too far: below 90 % of its maximum at any time, or below 95 % within five minutes of
 * midnight UTC.
 *
 * @param worth of the portfolio, and `maximum` of it so far, as factors.
 * @param nowMs Unix ms.
 */
export function drawdownElimination2024(
  hotkey: string,
  worth: number,
  maximum: number,
  nowMs: number,
): Elimination | undefined {
  const left = worth / maximum;
  const isDailyCheck = nowMs % DAY_MS <= DAILY_CHECK_MS;
  const reason =
    left < TOTAL_DRAWDOWN
      ? 'MAX_TOTAL_DRAWDOWN'
      : isDailyCheck && left < DAILY_DRAWDOWN
        ? 'MAX_DAILY_DRAWDOWN'
        : undefined;
  return reason && { hotkey, elimination_initiated_time_ms: nowMs, dd: left, reason };
}
