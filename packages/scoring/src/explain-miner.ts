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

/** The metrics of the main competition, by hotkey. */
function mainMetrics({ main, generation }: Round): Map<string, TrialMetric[]> {
  const byHotkey = new Map<string, TrialMetric[]>();
  for (const { segment, metrics } of main.segments) {
    for (const { name, weight, scores } of metrics) {
      const ranks = percentiles([...scores.values()], generation.percentile);
      let place = 0;
      for (const [hotkey, score] of scores) {
        const own = byHotkey.get(hotkey) ?? [];
        own.push({ segment: segment.name, name, score, percentile: ranks[place++] ?? NaN, weight });
        byHotkey.set(hotkey, own);
      }
    }
  }
  return byHotkey;
}

function outcomeOf({ inspection, eliminations }: Round, hotkey: string): string | undefined {
  const row = eliminations.find((one) => one.hotkey === hotkey);
  if (row !== undefined) return `eliminated: ${row.reason}`;
  if (inspection.promoted.includes(hotkey)) return 'promoted to the main competition';
  if (inspection.demoted.includes(hotkey)) return 'put on probation';
  const moved = inspection.moved.get(hotkey);
  return moved === undefined ? undefined : `moved to ${moved.bucket}`;
}

function explain(
  round: Round,
  miner: MinerRecord,
  ofMain: readonly TrialMetric[],
  place: number | undefined,
): MinerExplanation {
  const { hotkey } = miner;
  const { percent } = drawdownState(miner.ledgers?.get(PORTFOLIO));
  const candidate = round.inspection.reports.get(hotkey);
  return {
    hotkey,
    bucket: round.stateBefore.get(hotkey)?.bucket,
    weight: (place === undefined ? undefined : round.weights[place]?.[1]) ?? 0,
    rank: place === undefined ? undefined : place + 1,
    metrics: candidate?.metrics ?? ofMain,
    penalties: round.main.penalties.get(hotkey) ?? roundPenalties(miner, round.nowMs, round.generation),
    drawdown: { percent, leftPercent: Math.max(0, DRAWDOWN_LIMIT_PERCENT - percent) },
    candidate,
    outcome: outcomeOf(round, hotkey),
  };
}

/** How a round came to what it decided about miners, and how far that is from something else. */
export function explainMiners(round: Round, miners: readonly MinerRecord[]): MinerExplanation[] {
  const ofMain = mainMetrics(round);
  const places = new Map(round.weights.map(([hotkey], place) => [hotkey, place]));
  return miners.map((miner) =>
    explain(round, miner, ofMain.get(miner.hotkey) ?? [], places.get(miner.hotkey)),
  );
}

/** The same of one miner. */
export function explainMiner(round: Round, miner: MinerRecord): MinerExplanation {
  return explainMiners(round, [miner])[0] as MinerExplanation;
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
