import type { MetricName, Segment } from './generations/segment.ts';

/** The factors that a miner's score is multiplied with, by name, and their product. */
export interface MinerPenalties {
  readonly byName: Readonly<Record<string, number>>;
  readonly total: number;
}

/** One metric of all miners that take part. */
export interface MetricScores {
  readonly name: MetricName;
  readonly weight: number;
  /** By hotkey. */
  readonly scores: ReadonlyMap<string, number>;
}

/** What miners score in one segment. */
export interface SegmentScores {
  readonly segment: Segment;
  /** How many trading days its metrics ask for. */
  readonly minimumDays: number;
  readonly metrics: readonly MetricScores[];
  /** By hotkey: the percentiles of the metrics, each times its weight, times the penalties. */
  readonly combined: ReadonlyMap<string, number>;
  /** By hotkey, highest first; adds up to 1. */
  readonly shares: ReadonlyMap<string, number>;
}

/** What a set of miners scores beside one another. */
export interface ScoredMiners {
  readonly penalties: ReadonlyMap<string, MinerPenalties>;
  readonly segments: readonly SegmentScores[];
  /** Hotkeys and what each scores, highest first. Adds up to 1, unless it is empty. */
  readonly final: readonly (readonly [hotkey: string, score: number])[];
}
