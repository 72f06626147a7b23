import type { Position } from '@ptn-api/protocol';

const MINIMUM_DURATION_MS = 60_000;

/** The positions that count for scoring: closed, and open for at least a minute. */
export function scoringPositions(positions: readonly Position[]): Position[] {
  return positions.filter(
    ({ is_closed_position: isClosed, open_ms: openMs, close_ms: closeMs }) =>
      isClosed && closeMs !== null && closeMs - openMs >= MINIMUM_DURATION_MS,
  );
}

/** Those that count for penalties at `nowMs` (Unix ms): closed ones opened within the look-back, and open ones at a loss. */
export function recentPositions(
  positions: readonly Position[],
  nowMs: number,
  lookBackMs: number,
): Position[] {
  return positions.filter(({ is_closed_position: isClosed, open_ms: openMs, return_at_close: worth }) =>
    isClosed ? openMs >= nowMs - lookBackMs : worth < 1,
  );
}

/** Time of a miner's first order, Unix ms; undefined without any. */
export function firstOrderMs(positions: readonly Position[]): number | undefined {
  let first: number | undefined;
  for (const { orders } of positions) {
    for (const { processed_ms: timeMs } of orders)
      first = first === undefined || timeMs < first ? timeMs : first;
  }
  return first;
}
