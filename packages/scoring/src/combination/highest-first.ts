/** Sorts highest first; equal ones keep their order. NaN goes last. */
export function highestFirst(scores: Iterable<readonly [string, number]>): [hotkey: string, score: number][] {
  const key = (score: number): number => (Number.isNaN(score) ? -Infinity : score);
  return [...scores]
    .map(([hotkey, score]): [string, number] => [hotkey, score])
    .sort(([, a], [, b]) => (key(a) === key(b) ? 0 : key(b) - key(a)));
}
