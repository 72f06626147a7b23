/** How long is waited before something is tried again. */
export interface Backoff {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/**
 * How long to wait before the next attempt.
 *
 * @param attempt 0 after the first failure, one more for each that follows.
 * @param random from 0 up to 1. It takes off up to half, so that what failed together is not tried again together.
 * @returns milliseconds, never above `maxMs`.
 */
export function backoffMs({ firstMs, factor, maxMs }: Backoff, attempt: number, random: number): number {
  return Math.min(firstMs * factor ** attempt, maxMs) * (1 - random / 2);
}
