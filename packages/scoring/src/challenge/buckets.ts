/** Where a miner stands: in the main competition, on the way to it, on the way out of it, or suspected of copying. */
export type Bucket = 'MAINCOMP' | 'CHALLENGE' | 'PROBATION' | 'PLAGIARISM' | 'unknown';

export interface BucketEntry {
  readonly bucket: Bucket;
  /** Unix ms since when; null where a file says so, which keeps the miner where it is. */
  readonly startMs: number | null;
  readonly previousBucket?: Bucket | null;
  readonly previousStartMs?: number | null;
}

/** The bucket of each miner by hotkey. A miner in none has not placed an order yet. */
export type ChallengeState = ReadonlyMap<string, BucketEntry>;

/** The hotkeys in a bucket, in the order of the state. */
export function hotkeysIn(state: ChallengeState, ...buckets: readonly Bucket[]): string[] {
  return [...state].filter(([, entry]) => buckets.includes(entry.bucket)).map(([hotkey]) => hotkey);
}

/** The entry of a miner that changes its bucket at `nowMs`. */
export function moveTo(bucket: Bucket, from: BucketEntry | undefined, nowMs: number): BucketEntry {
  return {
    bucket,
    startMs: nowMs,
    previousBucket: from?.bucket ?? null,
    previousStartMs: from?.startMs ?? null,
  };
}
