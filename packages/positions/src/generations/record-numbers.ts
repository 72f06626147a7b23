import { formatFloat } from '../json/format-float.ts';

/** A number of a record; null stands for the NaN that Python wrote, and counts as it there. */
export function numberOf(value: unknown): number | undefined {
  if (value === null) return NaN;
  return typeof value === 'number' ? value : undefined;
}

/** Times are ints in Python where they are whole. */
export function formatMs(timeMs: number): string {
  return Number.isInteger(timeMs) ? String(timeMs) : formatFloat(timeMs);
}
