import { countBelow, countUpTo, rankPercentile } from '../combination/percentiles.ts';

/** A value of a miner, and where it stands among those it is compared with. */
export interface RankedValue {
  readonly value: number;
  /** 1 for the highest; equal ones in the order of the miners. */
  readonly rank: number;
  /** 0 to 1, equal ones alike. */
  readonly percentile: number;
}

/** Where each value stands among all. */
export function rankAll(values: readonly number[]): RankedValue[] {
  const sorted = Float64Array.from(values).sort();
  const ranks = new Map(
    values
      .map((value, index) => ({ value, index }))
      .sort((a, b) => b.value - a.value)
      .map(({ index }, place) => [index, place + 1]),
  );
  return values.map((value, index) => ({
    value,
    rank: ranks.get(index) ?? values.length,
    percentile: percentileOf(value, sorted, sorted.length, 0),
  }));
}

/** Where a value stands that joins others, sorted; behind those that it equals. */
export function rankAdded(value: number, sorted: Float64Array): RankedValue {
  const rank = sorted.length - countBelow(sorted, value) + 1;
  return { value, rank, percentile: percentileOf(value, sorted, sorted.length + 1, 1) };
}

function percentileOf(value: number, sorted: Float64Array, count: number, added: number): number {
  if (count === 1) return 1;
  return rankPercentile(countBelow(sorted, value), countUpTo(sorted, value) + added, count);
}
