import { pairwiseSum } from '../numerics/pairwise-sum.ts';

const EPSILON = 1e-6;

/** Scores to shares: the higher, the more. */
export type Softmax = (scores: readonly number[], temperature: number) => number[];

function exponentials(scores: readonly number[], temperature: number): number[] {
  const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  return scores.map((score) => Math.exp((score - highest) / temperature));
}

/** Softmax over all scores: `exp((s - max) / temperature) / max(sum, 1e-6)`. One alone gets 1. */
export const softmaxOfAll: Softmax = (scores, temperature) => {
  if (scores.length === 1) return [1];
  const powers = exponentials(scores, temperature);
  const sum = Math.max(pairwiseSum(powers), EPSILON);
  return powers.map((power) => power / sum);
};

/** Softmax over the scores that are not 0, which get 0: `exp((s - max) / temperature) / (sum + 1e-6)`. */
export const softmaxOfNonZero: Softmax = (scores, temperature) => {
  if (scores.length === 1) return [1];
  const kept = scores.filter((score) => score !== 0);
  const powers = exponentials(kept, temperature);
  const sum = pairwiseSum(powers) + EPSILON;
  let next = 0;
  return scores.map((score) => (score === 0 ? 0 : (powers[next++] as number) / sum));
};

/** Scores divided by their sum; nothing for a sum of 0. */
export function normalizeScores(scores: ReadonlyMap<string, number>): Map<string, number> {
  let sum = 0;
  for (const score of scores.values()) sum += score;
  if (sum === 0) return new Map();
  return new Map([...scores].map(([hotkey, score]) => [hotkey, score / sum]));
}
