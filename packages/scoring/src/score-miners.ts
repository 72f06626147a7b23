import { highestFirst } from './combination/highest-first.ts';
import { percentiles } from './combination/percentiles.ts';
import { dailyReturns } from './daily-returns.ts';
import type { Day } from './daily-returns.ts';
import { maxDrawdown } from './drawdown.ts';
import type { Generation } from './generations/generation.ts';
import type { Segment } from './generations/segment.ts';
import { PORTFOLIO } from './ledger/checkpoint.ts';
import type { MetricInput, MetricTerms } from './metrics/metrics.ts';
import type { MinerRecord } from './miner-record.ts';
import { recentPositions } from './penalties/scoring-positions.ts';
import type { MetricScores, MinerPenalties, ScoredMiners, SegmentScores } from './scored-miners.ts';

export interface ScoreOptions {
  /** Unix ms. */
  readonly nowMs: number;
  /** Whether later days weigh more, as in what is paid; `minerstatistics` shows both. */
  readonly isWeighted: boolean;
  /** Whether metrics are computed however few days there are, as backtests ask for. */
  readonly bypassConfidence?: boolean;
}

/** The trading days of a miner in a segment. */
export function segmentDays(miner: MinerRecord, segment: Segment, generation: Generation): Day[] {
  return dailyReturns(segment.ledgerOf(miner.ledgers), generation.cellDate, generation.ledger.cellMs);
}

/** The metric terms of a segment. */
export function segmentTerms(generation: Generation, segment: Segment, minimumDays: number): MetricTerms {
  return { ...generation.metricTerms, daysInYear: segment.daysInYear, minimumDays };
}

/** What the metrics of a miner in a segment are computed from. */
export function metricInput(
  miner: MinerRecord,
  days: readonly Day[],
  segment: Segment,
  terms: MetricTerms,
  { isWeighted, bypassConfidence = false }: Pick<ScoreOptions, 'isWeighted' | 'bypassConfidence'>,
): MetricInput {
  return {
    returns: days.map(({ logReturn }) => logReturn),
    pnl: days.map(({ pnl }) => pnl),
    drawdown: maxDrawdown(segment.ledgerOf(miner.ledgers) ?? { cps: [] }),
    isWeighted,
    bypassConfidence,
    terms,
  };
}

/** The penalties of a miner on the given positions, those of the last months in a round. */
export function penaltiesOf(
  miner: MinerRecord,
  positions: MinerRecord['positions'],
  generation: Generation,
): MinerPenalties {
  const ledger = miner.ledgers?.get(PORTFOLIO) ?? { cps: [] };
  const byName = Object.fromEntries(
    generation.penalties.map(({ name, penalty }) => [
      name,
      penalty({ positions, ledger, accountSize: miner.accountSize }),
    ]),
  );
  return { byName, total: Object.values(byName).reduce((product, factor) => product * factor, 1) };
}

/** The penalties of a miner in a round at `nowMs`, Unix ms. */
export function roundPenalties(miner: MinerRecord, nowMs: number, generation: Generation): MinerPenalties {
  const positions = recentPositions(miner.scoringPositions, nowMs, generation.lookBackMs);
  return penaltiesOf(miner, positions, generation);
}

/** Percentiles of the metrics, each times its weight, times the penalties. */
export function combineMetrics(
  metrics: readonly MetricScores[],
  penalties: ReadonlyMap<string, MinerPenalties>,
  generation: Pick<Generation, 'percentile'>,
): Map<string, number> {
  const combined = new Map<string, number>();
  for (const { weight, scores } of metrics) {
    const ranks = percentiles([...scores.values()], generation.percentile);
    let index = 0;
    for (const hotkey of scores.keys()) {
      combined.set(hotkey, (combined.get(hotkey) ?? 0) + weight * (ranks[index++] as number));
    }
  }
  for (const [hotkey, score] of combined) {
    combined.set(hotkey, score * (penalties.get(hotkey)?.total ?? 1));
  }
  return combined;
}

function scoreSegment(
  segment: Segment,
  miners: readonly MinerRecord[],
  penalties: ReadonlyMap<string, MinerPenalties>,
  generation: Generation,
  options: ScoreOptions,
): SegmentScores {
  const days = miners.map((miner) => segmentDays(miner, segment, generation));
  const minimumDays = generation.minimumDays(days.map(({ length }) => length));
  const terms = segmentTerms(generation, segment, minimumDays);
  const inputs = miners.map((miner, index) => metricInput(miner, days[index] ?? [], segment, terms, options));
  const metrics = generation.metrics.map(({ name, weight, metric }): MetricScores => ({
    name,
    weight,
    scores: new Map(miners.map(({ hotkey }, index) => [hotkey, metric(inputs[index] as MetricInput)])),
  }));
  const combined = combineMetrics(metrics, penalties, generation);
  const softmax = generation.softmax([...combined.values()], generation.softmaxTemperature);
  const hotkeys = [...combined.keys()];
  const shares = new Map(highestFirst(softmax.map((share, index) => [hotkeys[index] as string, share])));
  return { segment, minimumDays, metrics, combined, shares };
}

/**
 * What miners score beside one another: metrics, percentiles, combination, softmax and normalisation. Miners whose penalties
 * are 0 take no part in the metrics and get 0. One miner alone gets 1, none nothing.
 */
export function scoreMiners(
  miners: readonly MinerRecord[],
  generation: Generation,
  options: ScoreOptions,
): ScoredMiners {
  const penalties = new Map(
    miners.map((miner) => [miner.hotkey, roundPenalties(miner, options.nowMs, generation)]),
  );
  const eligible = miners.filter(({ hotkey }) => penalties.get(hotkey)?.total !== 0);
  const segments = generation.segments.map((segment) =>
    scoreSegment(segment, eligible, penalties, generation, options),
  );
  const [only] = miners;
  if (only !== undefined && miners.length === 1) return { penalties, segments, final: [[only.hotkey, 1]] };
  const totals = new Map<string, number>();
  for (const { segment, shares } of segments) {
    for (const [hotkey, share] of shares) {
      totals.set(hotkey, (totals.get(hotkey) ?? 0) + segment.share * share);
    }
  }
  for (const { hotkey } of miners) if (!totals.has(hotkey)) totals.set(hotkey, 0);
  let sum = 0;
  for (const score of totals.values()) sum += score;
  const final = sum === 0 ? [] : highestFirst([...totals].map(([hotkey, score]) => [hotkey, score / sum]));
  return { penalties, segments, final };
}
