import type { Position } from '@ptn-api/protocol';
import { CHECKPOINT_DEFAULTS, PORTFOLIO, SCORING_GENERATIONS } from '@ptn-api/scoring';
import type { Checkpoint, LedgerBundle } from '@ptn-api/scoring';

const MINUTE_MS = 60_000;
const { cellMs: CELL_MS, windowMs: WINDOW_MS } = SCORING_GENERATIONS['2025-05'].ledger;
/** A liquidated position returns 0, which has no logarithm: it counts as a loss of 99.99 %. */
const MIN_RETURN = 1e-4;

interface HalfDay {
  gain: number;
  loss: number;
  openMs: number;
}

/**
 * A miner's ledger as made up with its history, from its first position to `nowMs` (Unix ms). The log return of a position with
 * all fees is spread evenly over the time it was (or has been) open, so that this needs no prices of the past, as building one
 * by the rules does.
 */
export function ledgersOf(positions: readonly Position[], nowMs: number): LedgerBundle {
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
  const cps = accumulate(halfDays, startMs, nowMs);
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

function accumulate(halfDays: readonly HalfDay[], startMs: number, nowMs: number): Checkpoint[] {
  let logReturn = 0;
  let best = 0;
  return halfDays.map(({ gain, loss, openMs }, index) => {
    const beginMs = startMs + index * CELL_MS;
    const endMs = Math.min(beginMs + CELL_MS, nowMs);
    const before = logReturn;
    logReturn += gain + loss;
    best = Math.max(best, logReturn);
    return {
      ...CHECKPOINT_DEFAULTS,
      last_update_ms: endMs,
      prev_portfolio_ret: Math.exp(logReturn),
      accum_ms: endMs - beginMs,
      open_ms: openMs,
      // Returns are refreshed each minute while a position is open.
      n_updates: Math.floor(openMs / MINUTE_MS),
      gain,
      loss,
      mdd: Math.exp(logReturn - best),
      mpv: Math.exp(Math.max(before, logReturn)),
    };
  });
}
