/** As many numbers are added with eight accumulators at once; longer arrays are halved first. */
const BLOCK = 128;

function sumBlock(values: ArrayLike<number>, from: number, count: number): number {
  const at = (index: number): number => values[from + index] as number;
  if (count < 8) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += at(i);
    return sum;
  }
  let [r0, r1, r2, r3] = [at(0), at(1), at(2), at(3)];
  let [r4, r5, r6, r7] = [at(4), at(5), at(6), at(7)];
  let i = 8;
  for (; i < count - (count % 8); i += 8) {
    r0 += at(i);
    r1 += at(i + 1);
    r2 += at(i + 2);
    r3 += at(i + 3);
    r4 += at(i + 4);
    r5 += at(i + 5);
    r6 += at(i + 6);
    r7 += at(i + 7);
  }
  let sum = r0 + r1 + (r2 + r3) + (r4 + r5 + (r6 + r7));
  for (; i < count; i++) sum += at(i);
  return sum;
}

function sumRange(values: ArrayLike<number>, from: number, count: number): number {
  if (count <= BLOCK) return sumBlock(values, from, count);
  const half = Math.floor(count / 2);
  const first = half - (half % 8);
  return sumRange(values, from, first) + sumRange(values, from + first, count - first);
}

/**
 * The sum of numbers in the order in which numpy adds them: pairwise, which differs from adding one after another in the
 * last digits. What the validators compute with numpy has to be added this way to come out the same.
 */
export function pairwiseSum(values: ArrayLike<number>): number {
  return sumRange(values, 0, values.length);
}
