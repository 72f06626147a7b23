/**
 * Milliseconds by a clock that all processes of this machine share, that only goes forward and that nobody sets (on
 * Linux CLOCK_MONOTONIC). Its zero is arbitrary: only differences say anything, also those between two processes.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
