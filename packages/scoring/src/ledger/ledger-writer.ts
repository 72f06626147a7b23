import { CHECKPOINT_DEFAULTS } from './checkpoint.ts';
import type { Checkpoint, PerfLedger } from './checkpoint.ts';
import type { LedgerTerms } from './ledger-terms.ts';

/** What a miner's positions were doing in a span, in ascending order of what counts as open. */
export const ACTIVITY = {
  noOpenPositions: 0,
  marketClosed: 1,
  openWithoutPriceChange: 2,
  openWithPriceChange: 3,
} as const;

export type Activity = (typeof ACTIVITY)[keyof typeof ACTIVITY];

type Cell = { -readonly [member in keyof Checkpoint]: Checkpoint[member] };

/** A return with the fees that are in it, all factors. */
export interface Valuation {
  readonly value: number;
  readonly spreadFee: number;
  readonly carryFee: number;
}

/** Writes into a copy of a ledger. Cells that are full are shared with the ledger that it was made of. */
export class LedgerWriter {
  readonly #ledger: PerfLedger;
  readonly #terms: LedgerTerms;
  readonly #cells: Cell[];
  #maxReturn: number;

  constructor(ledger: PerfLedger, terms: LedgerTerms) {
    this.#ledger = ledger;
    this.#terms = terms;
    this.#cells = [...ledger.cps];
    const last = this.#cells.at(-1);
    if (last !== undefined) this.#cells[this.#cells.length - 1] = { ...last };
    this.#maxReturn = ledger.cps.reduce((highest, { mpv }) => Math.max(highest, mpv), 1);
  }

  get initializationMs(): number {
    return this.#ledger.initialization_time_ms;
  }

  /** Unix ms up to which it is written; 0 where nothing is. */
  get lastUpdateMs(): number {
    return this.#cells.at(-1)?.last_update_ms ?? 0;
  }

  /** What it was worth at that time, and the fees then. */
  get lastValuation(): Valuation {
    const last = this.#cells.at(-1);
    return {
      value: last?.prev_portfolio_ret ?? 1,
      spreadFee: last?.prev_portfolio_spread_fee ?? 1,
      carryFee: last?.prev_portfolio_carry_fee ?? 1,
    };
  }

  /** Begins at `timeMs` where it has no cells. Cells end at multiples of their length since 1970, at 0 and 12 h UTC. */
  begin(timeMs: number): void {
    if (this.#cells.length > 0) return;
    this.#cells.push({
      ...CHECKPOINT_DEFAULTS,
      last_update_ms: timeMs,
      prev_portfolio_ret: 1,
      accum_ms: timeMs % this.#terms.cellMs,
      mpv: 1,
    });
  }

  /**
   * Writes what it is worth at `timeMs` (Unix ms) and drops nothing; see `dropOldCells`.
   *
   * @throws RangeError for a value that is not above 0: such a miner is liquidated and its ledger ends.
   */
  update({ value, spreadFee, carryFee }: Valuation, timeMs: number, activity: Activity): void {
    if (!(value > 0)) throw new RangeError(`a ledger cannot hold a return of ${value}`);
    this.begin(timeMs);
    const previousMax = this.#maxReturn;
    this.#maxReturn = Math.max(previousMax, value);
    const drawdown = 1 + (value - this.#maxReturn) / this.#maxReturn;
    let cell = this.#lastCell();
    if (timeMs - cell.last_update_ms + cell.accum_ms > this.#terms.cellMs) {
      cell = this.#openCell(timeMs, activity, previousMax, drawdown, value);
    } else {
      cell.mdd = Math.min(cell.mdd, drawdown);
    }
    const change = Math.log(value / cell.prev_portfolio_ret);
    if (change > 0) cell.gain += change;
    else cell.loss += change;
    if (change !== 0) cell.n_updates += 1;
    if (carryFee !== cell.prev_portfolio_carry_fee) {
      cell.carry_fee_loss += Math.log(carryFee / cell.prev_portfolio_carry_fee);
    }
    if (spreadFee !== cell.prev_portfolio_spread_fee) {
      cell.spread_fee_loss += Math.log(spreadFee / cell.prev_portfolio_spread_fee);
    }
    cell.prev_portfolio_ret = value;
    cell.prev_portfolio_carry_fee = carryFee;
    cell.prev_portfolio_spread_fee = spreadFee;
    cell.mpv = Math.max(cell.mpv, value);
    const elapsedMs = Math.max(0, timeMs - cell.last_update_ms);
    cell.accum_ms += elapsedMs;
    cell.last_update_ms = timeMs;
    if (activity >= ACTIVITY.openWithoutPriceChange) cell.open_ms += elapsedMs;
  }

  /** Drops the oldest cells until the rest covers no more than the window. */
  dropOldCells(): void {
    let coveredMs = this.#cells.reduce((sum, { accum_ms: ms }) => sum + ms, 0);
    let dropped = 0;
    while (coveredMs > this.#terms.windowMs) coveredMs -= this.#cells[dropped++]?.accum_ms ?? coveredMs;
    if (dropped > 0) this.#cells.splice(0, dropped);
  }

  toLedger(): PerfLedger {
    return { ...this.#ledger, max_return: this.#maxReturn, cps: this.#cells };
  }

  #lastCell(): Cell {
    const cell = this.#cells.at(-1);
    if (cell === undefined) throw new RangeError('the ledger has no cells');
    return cell;
  }

  /** Fills the last cell, adds those that nothing happened in, and gives the one that `timeMs` lies in. */
  #openCell(timeMs: number, activity: Activity, previousMax: number, drawdown: number, value: number): Cell {
    const { cellMs } = this.#terms;
    let cell = this.#lastCell();
    const missingMs = cellMs - cell.accum_ms;
    let remainingMs = timeMs - cell.last_update_ms - missingMs;
    const kept = cell.prev_portfolio_ret;
    const keptDrawdown = kept / previousMax;
    cell.accum_ms = cellMs;
    cell.last_update_ms += missingMs;
    if (activity > ACTIVITY.marketClosed) cell.open_ms += missingMs;
    const next = (fields: Partial<Checkpoint>): Cell => ({
      ...CHECKPOINT_DEFAULTS,
      last_update_ms: cell.last_update_ms,
      prev_portfolio_ret: kept,
      prev_portfolio_spread_fee: cell.prev_portfolio_spread_fee,
      prev_portfolio_carry_fee: cell.prev_portfolio_carry_fee,
      ...fields,
    });
    for (; remainingMs > cellMs; remainingMs -= cellMs) {
      const endMs = cell.last_update_ms + cellMs;
      cell = next({ last_update_ms: endMs, accum_ms: cellMs, mdd: keptDrawdown, mpv: kept });
      this.#cells.push(cell);
    }
    cell = next({ mdd: Math.min(keptDrawdown, drawdown), mpv: Math.max(kept, value) });
    this.#cells.push(cell);
    return cell;
  }
}
