import { percentiles } from './combination/percentiles.ts';
import type { CandidateReport } from './challenge/inspect-challenge.ts';
import type { TrialMetric } from './challenge/inspect-challenge.ts';
import type { Bucket } from './challenge/buckets.ts';
import { DRAWDOWN_LIMIT_PERCENT, drawdownState } from './drawdown.ts';
import { PORTFOLIO } from './ledger/checkpoint.ts';
import type { MinerRecord } from './miner-record.ts';
import { roundPenalties } from './score-miners.ts';
import type { MinerPenalties } from './scored-miners.ts';
import type { Round } from './score-round.ts';

/** Why a miner stands where it stands after a round. */
export interface MinerExplanation {
  readonly hotkey: string;
  /** Undefined for one that the round does not know. */
  readonly bucket: Bucket | undefined;
  readonly weight: number;
  /** 1 for the highest weight; undefined without one. */
  readonly rank: number | undefined;
  /** Among the main competition; those of a candidate as if it had joined. */
  readonly metrics: readonly TrialMetric[];
  readonly penalties: MinerPenalties;
  /** Percent, and how much of it is left until elimination. */
  readonly drawdown: { readonly percent: number; readonly leftPercent: number };
  readonly candidate: CandidateReport | undefined;
  /** What the round decided about it. */
  readonly outcome: string | undefined;
}

function metricsOf({ main, generation, inspection }: Round, hotkey: string): readonly TrialMetric[] {
  const candidate = inspection.reports.get(hotkey)?.metrics;
  if (candidate !== undefined) return candidate;
  return main.segments.flatMap(({ segment, metrics }) =>
    metrics.flatMap(({ name, weight, scores }) => {
      const score = scores.get(hotkey);
      if (score === undefined) return [];
      const place = [...scores.keys()].indexOf(hotkey);
      const percentile = percentiles([...scores.values()], generation.percentile)[place] ?? NaN;
      return [{ segment: segment.name, name, score, percentile, weight }];
    }),
  );
}

function outcomeOf({ inspection, eliminations }: Round, hotkey: string): string | undefined {
  const row = eliminations.find((one) => one.hotkey === hotkey);
  if (row !== undefined) return `eliminated: ${row.reason}`;
  if (inspection.promoted.includes(hotkey)) return 'promoted to the main competition';
  if (inspection.demoted.includes(hotkey)) return 'put on probation';
  const moved = inspection.moved.get(hotkey);
  return moved === undefined ? undefined : `moved to ${moved.bucket}`;
}

/** How a round came to what it decided about a miner, and how far that is from something else. */
export function explainMiner(round: Round, miner: MinerRecord): MinerExplanation {
  const { hotkey } = miner;
  const { percent } = drawdownState(miner.ledgers?.get(PORTFOLIO));
  const place = round.weights.findIndex(([other]) => other === hotkey);
  return {
    hotkey,
    bucket: round.stateBefore.get(hotkey)?.bucket,
    weight: round.weights[place]?.[1] ?? 0,
    rank: place === -1 ? undefined : place + 1,
    metrics: metricsOf(round, hotkey),
    penalties: round.main.penalties.get(hotkey) ?? roundPenalties(miner, round.nowMs, round.generation),
    drawdown: { percent, leftPercent: Math.max(0, DRAWDOWN_LIMIT_PERCENT - percent) },
    candidate: round.inspection.reports.get(hotkey),
    outcome: outcomeOf(round, hotkey),
  };
}

const DAY_MS = 86_400_000;

function digits(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(6) : String(value);
}

function candidateLines(candidate: CandidateReport): string[] {
  const { tradingDays, minimumDays, remainingMs, percentile, percentileThreshold, segments = [] } = candidate;
  const lines: string[] = [];
  if (candidate.skipped !== undefined) return [`nothing is decided: ${candidate.skipped}`];
  const missing = Math.max(0, minimumDays - tradingDays);
  lines.push(`trading days: ${tradingDays} of ${minimumDays}${missing > 0 ? `, ${missing} missing` : ''}`);
  if (percentile !== undefined && percentileThreshold !== undefined) {
    const short = percentileThreshold - percentile;
    const verdict = short > 0 ? `${digits(short)} short of` : 'reaches';
    lines.push(
      `percentile in the main competition: ${digits(percentile)}, ${verdict} ${percentileThreshold}`,
    );
  }
  for (const { name, score, threshold } of segments) {
    lines.push(`score in ${name}: ${digits(score)}, the main competition begins at ${digits(threshold)}`);
  }
  if (remainingMs !== undefined) {
    const days = Math.abs(remainingMs) / DAY_MS;
    lines.push(
      remainingMs < 0 ? `its time is over since ${days.toFixed(1)} days` : `${days.toFixed(1)} days are left`,
    );
  }
  return lines;
}

/** The explanation in lines for a terminal. */
export function explanationLines(explanation: MinerExplanation): string[] {
  const { hotkey, bucket, weight, rank, metrics, penalties, drawdown, candidate, outcome } = explanation;
  const place = rank === undefined ? 'no weight' : `weight ${digits(weight)}, place ${rank}`;
  return [
    `${hotkey}: ${bucket ?? 'not in the competition'}, ${place}`,
    ...metrics.map(({ segment, name, score, percentile, weight: share }) => {
      const where = segment === PORTFOLIO ? name : `${segment} ${name}`;
      return `${where}: ${digits(score)}, percentile ${digits(percentile)}, counts ${share}`;
    }),
    ...Object.entries(penalties.byName).map(([name, factor]) => `penalty ${name}: times ${digits(factor)}`),
    `drawdown: ${drawdown.percent} %, ${drawdown.leftPercent.toFixed(2)} % left until elimination`,
    ...(candidate === undefined ? [] : candidateLines(candidate)),
    ...(outcome === undefined ? [] : [outcome]),
  ];
}
