import type { InspectInput, Inspection } from '../challenge/inspect-challenge.ts';
import type { PercentileKind } from '../combination/percentiles.ts';
import type { Softmax } from '../combination/softmax.ts';
import type { CellDate } from '../daily-returns.ts';
import type { WeighInput, Weights } from '../weights/weigh-rule.ts';
import type { LedgerTerms } from '../ledger/ledger-terms.ts';
import type { Metric, MetricTerms } from '../metrics/metrics.ts';
import type { Penalty } from '../penalties/penalty.ts';
import type { MetricName, Segment } from './segment.ts';

/** One metric of a generation. The order of the rows is that in which their shares are added. */
export interface MetricRow {
  readonly name: MetricName;
  readonly weight: number;
  readonly metric: Metric;
}

/** One penalty of a generation: a factor, 0 to 1. */
export interface PenaltyRow {
  readonly name: string;
  readonly penalty: Penalty;
}

/** How many trading days the metrics of a segment ask for, from the trading days of its miners. */
export type MinimumDays = (tradingDays: readonly number[]) => number;

/** Decides by the rules of the generation that it belongs to. */
export type InspectChallenge = (input: InspectInput & { readonly generation: Generation }) => Inspection;

/** How a generation decides who joins the main competition and who has to leave. */
export interface ChallengeTerms {
  /** A miner in `CHALLENGE` has this long. */
  readonly challengeMs: number;
  /** One in `PROBATION` has this long; undefined where there is no such bucket. */
  readonly probationMs: number | undefined;
  /** Trading days that a candidate needs at a time (Unix ms). */
  readonly minimumDays: (nowMs: number) => number;
  readonly inspect: InspectChallenge;
}

/** What each miner is paid with, highest first within each competition. Empty where a validator would set none. */
export type WeighRule = (input: WeighInput & { readonly generation: Generation }) => Weights;

/** The rules of one time, as parameters and named functions. A further generation is a file beside this one, and a row. */
export interface Generation {
  readonly name: string;
  readonly ledger: LedgerTerms;
  /** Positions opened longer ago than this do not count for penalties. */
  readonly lookBackMs: number;
  readonly cellDate: CellDate;
  readonly metricTerms: Omit<MetricTerms, 'minimumDays' | 'daysInYear'>;
  readonly minimumDays: MinimumDays;
  readonly metrics: readonly MetricRow[];
  readonly penalties: readonly PenaltyRow[];
  readonly segments: readonly Segment[];
  readonly percentile: PercentileKind;
  readonly softmax: Softmax;
  readonly softmaxTemperature: number;
  readonly challenge: ChallengeTerms;
  readonly weigh: WeighRule;
}
