import type { MinimumDays } from './generation.ts';

/** The same for everybody. */
export function fixedMinimum(days: number): MinimumDays {
  return () => days;
}

const DYNAMIC_RANK = 20;
const DYNAMIC_MIN = 7;
const DYNAMIC_MAX = 60;

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** As many days as the 20th longest record of a segment has, but no more than the median, 7 to 60; 7 with fewer than 20 records. */
export const dynamicMinimum: MinimumDays = (tradingDays) => {
  const sorted = tradingDays.filter((days) => days > 0).sort((a, b) => a - b);
  if (sorted.length < DYNAMIC_RANK) return DYNAMIC_MIN;
  const least = Math.min(sorted[sorted.length - DYNAMIC_RANK] ?? 0, median(sorted));
  return Math.min(Math.max(Math.trunc(least), DYNAMIC_MIN), DYNAMIC_MAX);
};

const DAY_MS = 86_400_000;
const RAISED_FROM_MS = Date.UTC(2025, 5, 6);

/** 60 days, and 7 more every 14 days from 2025-06-06 on, up to 120. */
export function risingMinimum(nowMs: number): number {
  const steps = Math.max(0, Math.floor((nowMs - RAISED_FROM_MS) / (14 * DAY_MS)));
  return Math.min(60 + 7 * steps, 120);
}
