import type { LedgerBundle, PerfLedger } from '../ledger/checkpoint.ts';

export type MetricName = 'calmar' | 'sharpe' | 'omega' | 'sortino' | 'statistical_confidence' | 'pnl';

/** A competition of its own within the network, which gives out a share of the scores. */
export interface Segment {
  readonly name: string;
  /** The shares of all segments add up to 1. */
  readonly share: number;
  readonly daysInYear: number;
  /** The ledger of a miner that is scored in it. */
  readonly ledgerOf: (ledgers: LedgerBundle | undefined) => PerfLedger | undefined;
}
