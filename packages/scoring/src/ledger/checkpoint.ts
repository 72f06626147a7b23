/** One cell of a performance ledger, as the validator stores it; unknown members stay. Returns are factors, gains and losses logs. */
export interface Checkpoint {
  /** Unix ms of the last moment that the cell covers. */
  readonly last_update_ms: number;
  readonly prev_portfolio_ret: number;
  readonly prev_portfolio_spread_fee: number;
  readonly prev_portfolio_carry_fee: number;
  /** How much of its length the cell covers, ms. */
  readonly accum_ms: number;
  /** How long a position was open, ms. */
  readonly open_ms: number;
  readonly n_updates: number;
  readonly gain: number;
  /** At most 0. */
  readonly loss: number;
  readonly spread_fee_loss: number;
  readonly carry_fee_loss: number;
  /** The lowest return relative to the highest before it: 0.95 is a drawdown of 5 %. */
  readonly mdd: number;
  /** The highest return within the cell. */
  readonly mpv: number;
  /** US dollars; since account sizes exist. */
  readonly pnl_gain?: number;
  readonly pnl_loss?: number;
}

/** A miner's performance in one pair, or in all (`PORTFOLIO`), in cells of a fixed length, oldest first. */
export interface PerfLedger {
  /** Unix ms of the first order that it covers. */
  readonly initialization_time_ms: number;
  readonly max_return: number;
  readonly target_cp_duration_ms: number;
  readonly target_ledger_window_ms: number;
  readonly cps: readonly Checkpoint[];
}

/** A miner's ledgers by trade pair id. */
export type LedgerBundle = ReadonlyMap<string, PerfLedger>;

/** The key of the ledger that covers all pairs, the only one that most generations score. */
export const PORTFOLIO = 'portfolio';

/** What the members of a cell are where a file leaves them out. */
export const CHECKPOINT_DEFAULTS: Omit<Checkpoint, 'pnl_gain' | 'pnl_loss'> = {
  last_update_ms: 0,
  prev_portfolio_ret: 0,
  prev_portfolio_spread_fee: 1,
  prev_portfolio_carry_fee: 1,
  accum_ms: 0,
  open_ms: 0,
  n_updates: 0,
  gain: 0,
  loss: 0,
  spread_fee_loss: 0,
  carry_fee_loss: 0,
  mdd: 1,
  mpv: 0,
};

/** When a ledger begins, Unix ms: its stored start, or that of its first cell where none is stored. */
export function ledgerStartMs({ initialization_time_ms: startMs, cps }: PerfLedger): number {
  const [first] = cps;
  return startMs !== 0 || first === undefined ? startMs : first.last_update_ms - first.accum_ms;
}
