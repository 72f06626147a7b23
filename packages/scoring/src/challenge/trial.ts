import { countBelow, countUpTo } from '../combination/percentiles.ts';
import type { PercentileKind } from '../combination/percentiles.ts';
import type { Generation } from '../generations/generation.ts';
import type { MinerRecord } from '../miner-record.ts';
import { roundPenalties, metricInput, segmentDays, segmentTerms } from '../score-miners.ts';
import type { MetricScores, MinerPenalties, ScoredMiners, SegmentScores } from '../scored-miners.ts';
import type { TrialMetric } from './inspect-challenge.ts';

/** How a candidate would stand in the main competition. */
export interface TrialResult {
  /** Empty where its penalty is 0. */
  readonly metrics: readonly TrialMetric[];
  /** Its combined score there; null where its penalty is 0. */
  readonly combined: number | null;
  /** Its percentile among the combined scores, 0 to 1. */
  readonly percentile: number;
  readonly tradingDays: number;
  readonly penalties: MinerPenalties;
}

/** A metric of the main competition, in the order of its miners. */
interface Ranked {
  readonly name: string;
  readonly weight: number;
  readonly scores: readonly number[];
  readonly sorted: Float64Array;
  /** Of each score: how many are lower, and how many are not higher. */
  readonly lower: readonly number[];
  readonly upTo: readonly number[];
}

function rank({ name, weight, scores: byHotkey }: MetricScores): Ranked {
  const scores = [...byHotkey.values()];
  const sorted = Float64Array.from(scores).sort();
  return {
    name,
    weight,
    scores,
    sorted,
    lower: scores.map((score) => countBelow(sorted, score)),
    upTo: scores.map((score) => countUpTo(sorted, score)),
  };
}

/**
 * Tries candidates against the main competition, one at a time: each is ranked as if it alone had joined. What the main
 * competition scores is computed once.
 */
export class Trial {
  readonly #segment: SegmentScores;
  readonly #generation: Generation;
  readonly #nowMs: number;
  readonly #metrics: readonly Ranked[];
  readonly #penalties: readonly number[];

  /**
   * @param main the miners of the main competition, weighted. A trial is over its first segment.
   * @throws RangeError where the generation has none.
   */
  constructor(main: ScoredMiners, generation: Generation, nowMs: number) {
    const [segment] = main.segments;
    if (segment === undefined) throw new RangeError(`generation ${generation.name} has no segment`);
    this.#segment = segment;
    this.#generation = generation;
    this.#nowMs = nowMs;
    this.#metrics = segment.metrics.map(rank);
    this.#penalties = [...segment.combined.keys()].map((hotkey) => main.penalties.get(hotkey)?.total ?? 1);
  }

  /** How a miner that is not in the main competition would stand in it. */
  of(miner: MinerRecord): TrialResult {
    const { segment, minimumDays } = this.#segment;
    const days = segmentDays(miner, segment, this.#generation);
    const penalties = roundPenalties(miner, this.#nowMs, this.#generation);
    const result = { tradingDays: days.length, penalties };
    if (penalties.total === 0) return { ...result, metrics: [], combined: null, percentile: 0 };
    const terms = segmentTerms(this.#generation, segment, minimumDays);
    const input = metricInput(miner, days, segment, terms, { isWeighted: true });
    const own = this.#generation.metrics.map(({ metric }) => metric(input));
    const scores = this.#combineWith(own, penalties.total);
    const combined = scores[scores.length - 1] as number;
    const percentile = percentileOf(combined, scores, this.#generation.percentile);
    return { ...result, metrics: this.#shown(own), combined, percentile };
  }

  #shown(own: readonly number[]): TrialMetric[] {
    const segment = this.#segment.segment.name;
    return this.#metrics.map((metric, index) => {
      const score = own[index] as number;
      const { name, weight } = metric;
      return { segment, name, score, percentile: this.#percentile(metric, score), weight };
    });
  }

  /** The percentile of a candidate's score among those of the main competition and itself. */
  #percentile({ scores, sorted }: Ranked, added: number): number {
    if (scores.length === 0) return 1;
    if (Number.isNaN(added) || scores.some(Number.isNaN)) return NaN;
    return this.#generation.percentile(
      countBelow(sorted, added),
      countUpTo(sorted, added) + 1,
      scores.length + 1,
    );
  }

  /** The combined scores of the main competition with a candidate's metrics among them, its own last. */
  #combineWith(own: readonly number[], ownPenalty: number): Float64Array {
    const { percentile: kind } = this.#generation;
    const members = this.#penalties.length;
    const combined = new Float64Array(members + 1);
    for (const [index, metric] of this.#metrics.entries()) {
      const { weight, scores, lower, upTo } = metric;
      const added = own[index] as number;
      const add = (member: number, percentile: number): void => {
        combined[member] = (combined[member] as number) + weight * percentile;
      };
      const percentile = this.#percentile(metric, added);
      if (Number.isNaN(percentile)) combined.fill(NaN);
      else {
        for (let member = 0; member < members; member++) {
          const score = scores[member] as number;
          const below = (lower[member] as number) + (added < score ? 1 : 0);
          add(member, kind(below, (upTo[member] as number) + (added <= score ? 1 : 0), members + 1));
        }
        add(members, percentile);
      }
    }
    return combined.map((score, member) => score * (this.#penalties[member] ?? ownPenalty));
  }
}

function percentileOf(score: number, scores: Float64Array, kind: PercentileKind): number {
  if (scores.length === 1) return 1;
  let [lower, upTo] = [0, 0];
  for (const other of scores) {
    if (Number.isNaN(other)) return NaN;
    if (other < score) lower += 1;
    if (other <= score) upTo += 1;
  }
  return kind(lower, upTo, scores.length);
}
