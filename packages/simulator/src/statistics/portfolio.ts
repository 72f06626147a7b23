import type { Position } from '@ptn-api/protocol';
import { CHECKPOINT_DEFAULTS, PORTFOLIO, SCORING_GENERATIONS } from '@ptn-api/scoring';
import type { Checkpoint, LedgerBundle } from '@ptn-api/scoring';
import type { WrittenCells } from './written-cells.ts';

const MINUTE_MS = 60_000;
const { cellMs: CELL_MS, windowMs: WINDOW_MS } = SCORING_GENERATIONS['2025-05'].ledger;
/** A liquidated position returns 0, which has no logarithm: it counts as a loss of 99.99 %. */
const MIN_RETURN = 1e-4;

/** Log returns up to the end of a cell: as the positions say, as the cells do, and the highest of these. */
export interface ReturnSums {
  readonly found: number;
  readonly counted: number;
  readonly best: number;
}
export const NO_RETURNS: ReturnSums = { found: 0, counted: 0, best: 0 };
export type WrittenReturns = WrittenCells<Checkpoint, ReturnSums>;

interface HalfDay {
  gain: number;
  loss: number;
  openMs: number;
}

/**
 * A miner's ledger as made up with its history, from its first position to `nowMs` (Unix ms). The log return of a position with
 * all fees is spread evenly over the time it was (or has been) open, so that this needs no prices of the past, as building one
 * by the rules does.
 *
 * @param written what stays as it is; the cells that are complete now are added to it.
 */
export function ledgersOf(
  positions: readonly Position[],
  nowMs: number,
  written: WrittenReturns = { cells: [], sums: NO_RETURNS },
): LedgerBundle {
  const sorted = positions.toSorted((a, b) => a.open_ms - b.open_ms);
  const first = sorted[0];
  if (first === undefined) return new Map();
  const startMs = Math.floor(first.open_ms / CELL_MS) * CELL_MS;
  const halfDays = Array.from({ length: Math.floor((nowMs - startMs) / CELL_MS) + 1 }, (): HalfDay => {
    return { gain: 0, loss: 0, openMs: 0 };
  });

  let coveredMs = startMs;
  for (const position of sorted) {
    const endMs = Math.max(
      position.is_closed_position ? (position.close_ms ?? nowMs) : nowMs,
      position.open_ms + 1,
    );
    const logReturn = Math.log(Math.max(position.return_at_close, MIN_RETURN));
    const perMs = logReturn / (endMs - position.open_ms);
    forEachHalfDay(startMs, position.open_ms, endMs, (index, lengthMs) => {
      const halfDay = halfDays[index];
      if (halfDay === undefined) return;
      if (perMs > 0) halfDay.gain += perMs * lengthMs;
      else halfDay.loss += perMs * lengthMs;
    });
    // Positions overlap: only what no earlier one covered adds to the open time.
    forEachHalfDay(startMs, Math.max(position.open_ms, coveredMs), endMs, (index, lengthMs) => {
      const halfDay = halfDays[index];
      if (halfDay !== undefined) halfDay.openMs += lengthMs;
    });
    coveredMs = Math.max(coveredMs, endMs);
  }
  const cps = accumulate(halfDays, startMs, nowMs, written);
  const ledger = {
    initialization_time_ms: first.open_ms,
    max_return: cps.reduce((highest, { mpv }) => Math.max(highest, mpv), 1),
    target_cp_duration_ms: CELL_MS,
    target_ledger_window_ms: WINDOW_MS,
    cps,
  };
  return new Map([[PORTFOLIO, ledger]]);
}

/** Cuts [fromMs, untilMs) into the half days since `startMs`. */
function forEachHalfDay(
  startMs: number,
  fromMs: number,
  untilMs: number,
  visit: (index: number, lengthMs: number) => void,
): void {
  let atMs = fromMs;
  while (atMs < untilMs) {
    const index = Math.floor((atMs - startMs) / CELL_MS);
    const endMs = Math.min(startMs + (index + 1) * CELL_MS, untilMs);
    visit(index, endMs - atMs);
    atMs = endMs;
  }
}

function accumulate(
  halfDays: readonly HalfDay[],
  startMs: number,
  nowMs: number,
  written: WrittenReturns,
): Checkpoint[] {
  const past = [...written.cells];
  let { counted, best } = written.sums;
  let found = halfDays.slice(0, past.length).reduce((sum, { gain, loss }) => sum + (gain + loss), 0);
  // Of the time that is written already: the return of an open position is known only now.
  let missed = found - written.sums.found;
  const fresh = halfDays.slice(past.length).map((halfDay, offset) => {
    const beginMs = startMs + (past.length + offset) * CELL_MS;
    const endMs = Math.min(beginMs + CELL_MS, nowMs);
    const gain = halfDay.gain + Math.max(missed, 0);
    const loss = halfDay.loss + Math.min(missed, 0);
    missed = 0;
    const before = counted;
    found += halfDay.gain + halfDay.loss;
    counted += gain + loss;
    best = Math.max(best, counted);
    const cell = {
      ...CHECKPOINT_DEFAULTS,
      last_update_ms: endMs,
      prev_portfolio_ret: Math.exp(counted),
      accum_ms: endMs - beginMs,
      open_ms: halfDay.openMs,
      // Returns are refreshed each minute while a position is open.
      n_updates: Math.floor(halfDay.openMs / MINUTE_MS),
      gain,
      loss,
      mdd: Math.exp(counted - best),
      mpv: Math.exp(Math.max(before, counted)),
    };
    if (cell.accum_ms === CELL_MS) {
      written.cells.push(cell);
      written.sums = { found, counted, best };
    }
    return cell;
  });
  return [...past, ...fresh];
}
