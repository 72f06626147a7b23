import type { ChallengeTerms } from '../challenge/challenge-terms.ts';
import type { PercentileKind } from '../combination/percentiles.ts';
import type { Softmax } from '../combination/softmax.ts';
import type { CellDate } from '../daily-returns.ts';
import type { WeighRule } from '../weights/weigh-rule.ts';
import type { PerfLedger, LedgerBundle } from '../ledger/checkpoint.ts';
import type { LedgerTerms } from '../ledger/ledger-terms.ts';
import type { Metric, MetricTerms } from '../metrics/metrics.ts';
import type { Penalty } from '../penalties/penalty.ts';

export type MetricName = 'calmar' | 'sharpe' | 'omega' | 'sortino' | 'statistical_confidence' | 'pnl';

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

/** A competition of its own within the network, which gives out a share of the scores. */
export interface Segment {
  readonly name: string;
  /** The shares of all segments add up to 1. */
  readonly share: number;
  readonly daysInYear: number;
  /** The ledger of a miner that is scored in it. */
  readonly ledgerOf: (ledgers: LedgerBundle | undefined) => PerfLedger | undefined;
}

/** How many trading days the metrics of a segment ask for, from the trading days of its miners. */
export type MinimumDays = (tradingDays: readonly number[]) => number;

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
