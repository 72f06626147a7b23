import type { Position } from '@ptn-api/protocol';
import { listOf, membersOf, numberOf, textOf } from '../../model/members.ts';
import type { Members } from '../../model/members.ts';
import { returnCurve } from '../../model/miners.ts';
import type { CurvePoint } from '../../model/miners.ts';
import { drawdownOf, readScore } from '../../model/statistics.ts';
import type { Score } from '../../model/statistics.ts';
import { readPositions, timeOf } from './read-positions.ts';

export interface Metric extends Score {
  /** What it adds to the miner's score, from 0 to 1. */
  readonly contribution: number | null;
  /** False where the validator gives it no weight. */
  readonly isScored: boolean;
}

export interface Challenge {
  /** `testing` in the challenge period, `success` behind it; later validators have more. */
  readonly status: string;
  /** Unix ms. */
  readonly startMs: number | null;
  readonly remainingMs: number | null;
  /** What each percentile must reach, from 0 to 1; `null` where the validator goes by something else. */
  readonly threshold: number | null;
}

export interface Performance {
  /** What the curve is of. */
  readonly title: string;
  /** Percent. */
  readonly returns: readonly CurvePoint[];
  /** Percent, at most 0; none where the validator gave no checkpoints. */
  readonly drawdowns: readonly CurvePoint[];
}

export interface Engagement {
  readonly closedPositions: number | null;
  readonly openMs: number | null;
}

/** What a validator says of this miner. Fractions are from 0 to 1, returns factors, times Unix ms. */
export interface MinerReport {
  readonly hasStatistics: boolean;
  readonly challenge: Challenge;
  readonly metrics: readonly Metric[];
  /** Factors, 1 takes nothing; the total last. */
  readonly penalties: readonly { readonly name: string; readonly factor: number | null }[];
  readonly weight: Score;
  /** How much was lost at most. */
  readonly drawdown: number | null;
  readonly engagement: Engagement;
  readonly recentReturn: number | null;
  readonly allTimeReturn: number | null;
  readonly countedPositions: number | null;
  readonly profitable: number | null;
  readonly positions: readonly Position[];
  readonly performance: Performance;
  readonly statisticsMs: number | null;
  readonly lastOrderMs: number | null;
}

/** In this order; metrics that it does not name come behind it. */
const METRIC_ORDER = ['pnl', 'omega', 'sharpe', 'sortino', 'statistical_confidence', 'calmar', 'return'];

function byOrder(names: readonly string[], order: readonly string[]): string[] {
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return names.toSorted((one, other) => place(one) - place(other));
}

function readMetrics(element: Members, constants: Members): readonly Metric[] {
  const scores = membersOf(element['scores']);
  return byOrder(Object.keys(scores), METRIC_ORDER).map((name) => ({
    ...readScore(name, scores[name]),
    contribution: numberOf(membersOf(scores[name])['overall_contribution']),
    isScored: constants[`SCORING_${name.toUpperCase()}_WEIGHT`] !== 0,
  }));
}

/** Of the statistics; where a validator has none of this miner, of its list of all in the challenge period. */
function readChallenge(element: Members, answer: Members, constants: Members, hotkey: string): Challenge {
  const own = membersOf(element['challengeperiod']);
  const lists = membersOf(answer['challengeperiod']);
  const list = ['testing', 'success'].find((name) => Object.hasOwn(membersOf(lists[name]), hotkey)) ?? '';
  return {
    status: textOf(own['status']) || list,
    startMs: timeOf(own['start_time_ms']) ?? timeOf(membersOf(lists[list])[hotkey]),
    remainingMs: numberOf(own['remaining_time_ms']),
    threshold: numberOf(constants['CHALLENGE_PERIOD_PERCENTILE_THRESHOLD']),
  };
}

/** A point for each moment, in the order of time, as charts need them. */
function curveOf(
  checkpoints: readonly Members[],
  valueOf: (checkpoint: Members) => number | null,
): readonly CurvePoint[] {
  const byTime = new Map<number, number>();
  for (const checkpoint of checkpoints) {
    const timeMs = timeOf(checkpoint['last_update_ms']);
    const value = valueOf(checkpoint);
    if (timeMs !== null && value !== null) byTime.set(Math.floor(timeMs / 1000), value);
  }
  return [...byTime].map(([time, value]) => ({ time, value })).sort((one, other) => one.time - other.time);
}

const asPercent = (factor: number | null): number | null =>
  // The largest numbers have no hundredfold.
  factor === null ? null : numberOf((factor - 1) * 100);

function readPerformance(element: Members, positions: readonly Position[]): Performance {
  const checkpoints = listOf(element['checkpoints']).map(membersOf);
  const returns = curveOf(checkpoints, (checkpoint) =>
    asPercent(numberOf(checkpoint['overall_returns']) ?? numberOf(checkpoint['prev_portfolio_ret'])),
  );
  if (returns.length === 0) {
    const complete = positions.filter(
      ({ open_ms: openMs, return_at_close: factor }) => Number.isFinite(openMs) && Number.isFinite(factor),
    );
    return { title: 'Return of closed positions', returns: returnCurve(complete), drawdowns: [] };
  }
  const drawdowns = curveOf(checkpoints, ({ mdd }) => asPercent(numberOf(mdd)));
  return { title: 'Return and drawdown', returns, drawdowns };
}

/**
 * What the page shows, of an answer of any generation: what is not as expected counts as absent.
 *
 * @param data what the data API answers.
 */
export function minerReport(data: unknown, hotkey: string): MinerReport {
  const answer = membersOf(data);
  const statistics = membersOf(answer['statistics']);
  const constants = membersOf(statistics['constants']);
  const found = listOf(statistics['data'])
    .map(membersOf)
    .find((entry) => entry['hotkey'] === hotkey);
  const element = found ?? {};
  const penalties = membersOf(element['penalties']);
  const engagement = membersOf(element['engagement']);
  const entry = membersOf(membersOf(answer['positions'])[hotkey]);
  const positions = readPositions(entry['positions']);
  return {
    hasStatistics: found !== undefined,
    challenge: readChallenge(element, answer, constants, hotkey),
    metrics: readMetrics(element, constants),
    penalties: Object.keys(penalties)
      .toSorted((one, other) => Number(one === 'total') - Number(other === 'total'))
      .map((name) => ({ name, factor: numberOf(penalties[name]) })),
    weight: readScore('weight', element['weight']),
    drawdown: drawdownOf(element),
    engagement: {
      closedPositions: numberOf(engagement['n_positions']),
      openMs: numberOf(engagement['checkpoint_durations']),
    },
    recentReturn: numberOf(entry['thirty_day_returns']),
    allTimeReturn: numberOf(entry['all_time_returns']),
    countedPositions: numberOf(entry['n_positions']),
    profitable: numberOf(entry['percentage_profitable']),
    positions,
    performance: readPerformance(element, positions),
    statisticsMs: timeOf(statistics['created_timestamp_ms']),
    lastOrderMs: timeOf(answer['timestamp']),
  };
}
