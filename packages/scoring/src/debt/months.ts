const DAY_MS = 86_400_000;

/** A month of UTC, as what is owed and paid is counted by. */
export interface Month {
  /** Unix ms. */
  readonly startMs: number;
  /** Unix ms at which the following month starts. */
  readonly endMs: number;
}

/** The month that a moment (Unix ms) lies in, or one so many months later. */
export function monthOf(timeMs: number, offset = 0): Month {
  const date = new Date(timeMs);
  const startOf = (months: number): number => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
  return { startMs: startOf(offset), endMs: startOf(offset + 1) };
}

/** The day of the month, 1 to 31. */
export function dayOfMonth(timeMs: number): number {
  return Math.floor((timeMs - monthOf(timeMs).startMs) / DAY_MS) + 1;
}
