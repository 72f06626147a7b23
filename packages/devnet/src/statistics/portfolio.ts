import type { Position } from '@ptn-api/protocol';

const MINUTE_MS = 60_000;
/** The validator accumulates performance over half days. */
export const CHECKPOINT_MS = 12 * 60 * MINUTE_MS;
/** A liquidated position returns 0, which has no logarithm: it counts as a loss of 99.99 %. */
const MIN_RETURN = 1e-4;

/** What a miner's portfolio did in one half day (UTC); the last one is still growing. */
export interface PerformanceCheckpoint {
  readonly last_update_ms: number;
  /** The portfolio's return since the miner's first position; 1.02 is +2 %. */
  readonly prev_portfolio_ret: number;
  /** How much of the half day is over. */
  readonly accum_ms: number;
  /** How long any position was open in it. */
  readonly open_ms: number;
  /** Returns are refreshed each minute while a position is open. */
  readonly n_updates: number;
  /** Sum of the log returns of the positions that won, and of those that lost (negative). */
  readonly gain: number;
  readonly loss: number;
  /** The portfolio against its best checkpoint so far; 0.95 is 5 % below. */
  readonly mdd: number;
}

interface HalfDay {
  gain: number;
  loss: number;
  openMs: number;
}

/**
 * A miner's performance in half days from its first position to `nowMs`. The log return of a position with all fees is
 * spread evenly over the time it was (or has been) open, so that this needs no prices of the past.
 */
export function performanceOf(positions: readonly Position[], nowMs: number): PerformanceCheckpoint[] {
  const sorted = positions.toSorted((a, b) => a.open_ms - b.open_ms);
  const first = sorted[0];
  if (first === undefined) return [];
  const startMs = Math.floor(first.open_ms / CHECKPOINT_MS) * CHECKPOINT_MS;
  const halfDays = Array.from({ length: Math.floor((nowMs - startMs) / CHECKPOINT_MS) + 1 }, (): HalfDay => {
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
  return accumulate(halfDays, startMs, nowMs);
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
    const index = Math.floor((atMs - startMs) / CHECKPOINT_MS);
    const endMs = Math.min(startMs + (index + 1) * CHECKPOINT_MS, untilMs);
    visit(index, endMs - atMs);
    atMs = endMs;
  }
}

function accumulate(halfDays: readonly HalfDay[], startMs: number, nowMs: number): PerformanceCheckpoint[] {
  let logReturn = 0;
  let best = 0;
  return halfDays.map(({ gain, loss, openMs }, index) => {
    const beginMs = startMs + index * CHECKPOINT_MS;
    const endMs = Math.min(beginMs + CHECKPOINT_MS, nowMs);
    logReturn += gain + loss;
    best = Math.max(best, logReturn);
    return {
      last_update_ms: endMs,
      prev_portfolio_ret: Math.exp(logReturn),
      accum_ms: endMs - beginMs,
      open_ms: openMs,
      n_updates: Math.floor(openMs / MINUTE_MS),
      gain,
      loss,
      mdd: Math.exp(logReturn - best),
    };
  });
}

/** The deepest fall of the portfolio from its best, as a fraction: 0.05 is 5 %. */
export function maxDrawdown(checkpoints: readonly PerformanceCheckpoint[]): number {
  return 1 - checkpoints.reduce((worst, { mdd }) => Math.min(worst, mdd), 1);
}
