/** Each bucket ends so much above the one before it: a quantile is at most 5 % beside the true one. */
const GROWTH = 1.1;
/** Everything up to it is one bucket. */
const MIN_MS = 0.05;
const LOG_GROWTH = Math.log(GROWTH);

/** How many durations fell in which bucket. */
export type LatencyBuckets = ReadonlyMap<number, number>;

/** The bucket of a duration in milliseconds. */
export function bucketOf(ms: number): number {
  return ms <= MIN_MS ? 0 : Math.ceil(Math.log(ms / MIN_MS) / LOG_GROWTH);
}

/** The middle of a bucket, in milliseconds. */
function middleOf(bucket: number): number {
  return bucket === 0 ? MIN_MS : MIN_MS * GROWTH ** (bucket - 0.5);
}

/**
 * The duration in milliseconds that the part `quantile` (0 to 1) of all stays within; 0 where there is none.
 */
export function quantileMs(buckets: LatencyBuckets, quantile: number): number {
  const total = [...buckets.values()].reduce((sum, count) => sum + count, 0);
  const rank = Math.max(1, Math.ceil(total * quantile));
  let seen = 0;
  for (const [bucket, count] of [...buckets].sort(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= rank) return middleOf(bucket);
  }
  return 0;
}
