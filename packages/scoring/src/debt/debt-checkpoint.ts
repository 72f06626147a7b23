/** Twelve hours of what a miner earned and was paid. */
export interface DebtCheckpoint {
  /** Unix ms of its end. */
  readonly timestamp_ms: number;
  /** What the network paid, US dollars. */
  readonly chunk_emissions_usd: number;
  /** Product of all penalties at that time, 0 to 1. */
  readonly total_penalty: number;
  /** The bucket that the miner was in. */
  readonly challenge_period_status: string;
  /** US dollars; the validators of 2025-11. */
  readonly pnl_gain?: number;
  readonly pnl_loss?: number;
  /** US dollars; the validators of 2025-12. */
  readonly realized_pnl?: number;
  readonly unrealized_pnl?: number;
}
