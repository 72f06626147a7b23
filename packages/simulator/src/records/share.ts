/** How many of `total` each of `weights` gets; whole numbers that add up to exactly `total`. */
export function share(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  let weightSoFar = 0;
  let given = 0;
  return weights.map((weight) => {
    weightSoFar += weight;
    const count = Math.round((total * weightSoFar) / sum) - given;
    given += count;
    return count;
  });
}
