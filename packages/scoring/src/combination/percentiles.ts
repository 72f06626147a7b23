/** How many of sorted numbers are below a value. */
export function countBelow(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of sorted numbers are at most a value. */
export function countUpTo(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The percentile, 0 to 1, of a value of which `lower` of `count` values are lower, and `upTo` lower or equal. */
export type PercentileKind = (lower: number, upTo: number, count: number) => number;

/** Ties share the mean of their places: scipy's `percentileofscore` of kind `rank`. */
export const rankPercentile: PercentileKind = (lower, upTo, count) =>
  ((lower + upTo + (lower < upTo ? 1 : 0)) * (50 / count)) / 100;

/** The share of values that are lower: scipy's `percentileofscore` of kind `strict`. */
export const strictPercentile: PercentileKind = (lower, _upTo, count) => (lower * (100 / count)) / 100;

/** The percentile of each score. One alone gets 1; a NaN among them makes all NaN. */
export function percentiles(scores: readonly number[], kind: PercentileKind): number[] {
  if (scores.length === 1) return [1];
  if (scores.some(Number.isNaN)) return scores.map(() => NaN);
  const sorted = Float64Array.from(scores).sort();
  return scores.map((score) => kind(countBelow(sorted, score), countUpTo(sorted, score), scores.length));
}
