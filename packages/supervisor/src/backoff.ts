const FIRST_MS = 100;
const FACTOR = 1.5;
const MAX_MS = 15_000;

/**
 * How long to wait before a worker is started again.
 *
 * @param attempt 0 after the first crash, one more for each that follows before the worker has proved stable.
 * @param random from 0 up to 1. It takes off up to half, so that workers that fell together do not start together.
 * @returns milliseconds, never above 15,000.
 */
export function backoffMs(attempt: number, random: number): number {
  const longest = Math.min(FIRST_MS * FACTOR ** attempt, MAX_MS);
  return longest * (1 - random / 2);
}
