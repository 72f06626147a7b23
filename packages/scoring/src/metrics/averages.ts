import { pairwiseSum } from '../numerics/pairwise-sum.ts';

/** How much less a day weighs the longer it is past: `min + (max - min) * exp(-rate * age in days)`. */
export interface Decay {
  readonly rate: number;
  readonly min: number;
  readonly max: number;
}

/** The weight of each day of a series of `count`, oldest first. */
export function dayWeights(count: number, { rate, min, max }: Decay): number[] {
  return Array.from(
    { length: count },
    (_, index) => min + (max - min) * Math.exp(-rate * (count - 1 - index)),
  );
}

/** The mean of a series, weighted where weights are given; 0 for none. Sums as numpy adds. */
export function average(values: readonly number[], weights?: readonly number[]): number {
  if (values.length === 0) return 0;
  if (weights === undefined) return pairwiseSum(values) / values.length;
  const products = values.map((value, index) => value * (weights[index] as number));
  return pairwiseSum(products) / pairwiseSum(weights);
}

/** The mean square distance from the mean, without correction for the sample; infinite for fewer than two. */
export function variance(values: readonly number[], weights?: readonly number[]): number {
  if (values.length < 2) return Infinity;
  const mean = average(values, weights);
  return average(
    values.map((value) => (value - mean) ** 2),
    weights,
  );
}

/** The yearly standard deviation of a daily series: `sqrt(variance * daysInYear)`. */
export function annualVolatility(
  values: readonly number[],
  daysInYear: number,
  weights?: readonly number[],
): number {
  return Math.sqrt(variance(values, weights) * daysInYear);
}
