import type { Position } from '@ptn-api/protocol';

const HOUR_MS = 3_600_000;
const CHALLENGE_MS = 30 * 24 * HOUR_MS;
const LEAST_POSITIONS = 10;
const LEAST_RETURN = 1.02;
const LEAST_DURATION_MS = 50 * HOUR_MS;
const MAX_DEVIATION = 20;
const LEAST_MEDIAN = 1e-6;

/** What of a position decides the challenge of 2024. */
export type ChallengePosition = Pick<
  Position,
  'open_ms' | 'close_ms' | 'is_closed_position' | 'return_at_close'
>;

/** Where a miner of 2024 stands in its first 30 days. */
export type Challenge2024 = 'passed' | 'running' | 'failed';

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** How far log returns lie from their median on average, in parts of it. */
function deviation(logReturns: readonly number[]): number {
  const middle = median(logReturns);
  const distance = logReturns.reduce((sum, value) => sum + Math.abs(value - middle), 0) / logReturns.length;
  return distance / (Math.abs(middle) || LEAST_MEDIAN);
}

/**
 * Whether the first ten, eleven, … positions closed within 30 days of the first opening returned 2 %, lasted 50 h together, and
 * did not scatter too much. Passing once is passing.
 *
 * @param nowMs Unix ms.
 */
export function challenge2024(positions: readonly ChallengePosition[], nowMs: number): Challenge2024 {
  if (positions.length === 0) return 'failed';
  const startMs = positions.reduce((first, { open_ms: openMs }) => Math.min(first, openMs), Infinity);
  const closed = positions
    .flatMap(({ is_closed_position: isClosed, close_ms: closeMs, open_ms: openMs, return_at_close: worth }) =>
      isClosed && closeMs !== null && closeMs <= startMs + CHALLENGE_MS && worth > 0
        ? [{ closeMs, openMs, logReturn: Math.log(worth) }]
        : [],
    )
    .sort((a, b) => a.closeMs - b.closeMs);
  for (let count = LEAST_POSITIONS; count <= closed.length; count++) {
    const first = closed.slice(0, count);
    const logReturns = first.map(({ logReturn }) => logReturn);
    const total = Math.exp(logReturns.reduce((sum, value) => sum + value, 0));
    const durationMs = first.reduce((sum, { closeMs, openMs }) => sum + closeMs - openMs, 0);
    if (total >= LEAST_RETURN && durationMs >= LEAST_DURATION_MS && deviation(logReturns) <= MAX_DEVIATION) {
      return 'passed';
    }
  }
  return nowMs - startMs < CHALLENGE_MS ? 'running' : 'failed';
}
