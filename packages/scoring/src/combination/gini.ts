/** The Gini coefficient of scores that are not negative, 0 (all equal) to 1: how unequal the miners of a class are; 0 without any. */
export function giniCoefficient(scores: readonly number[]): number {
  const sorted = Float64Array.from(scores).sort();
  const count = sorted.length;
  let sum = 0;
  let ranked = 0;
  for (const [index, score] of sorted.entries()) {
    sum += score;
    ranked += (index + 1) * score;
  }
  return count === 0 || sum === 0 ? 0 : (2 * ranked) / (count * sum) - (count + 1) / count;
}
