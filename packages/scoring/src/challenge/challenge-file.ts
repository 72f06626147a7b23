import type { Bucket, BucketEntry, ChallengeState } from './buckets.ts';
import { hotkeysIn } from './buckets.ts';

/** `challengeperiod.json` up to autumn 2025: hotkey to the Unix ms since when. */
export interface ChallengeMapsFile {
  readonly testing: Readonly<Record<string, number | null>>;
  readonly success: Readonly<Record<string, number | null>>;
}

/** `challengeperiod.json` since then. */
export type ChallengeBucketsFile = Readonly<
  Record<
    string,
    {
      readonly bucket: Bucket;
      readonly bucket_start_time: number | null;
      readonly previous_bucket: Bucket | null;
      readonly previous_bucket_start_time: number | null;
    }
  >
>;

function isMapsFile(file: ChallengeMapsFile | ChallengeBucketsFile): file is ChallengeMapsFile {
  const { testing, success } = file as Partial<ChallengeMapsFile>;
  return [testing, success].some((map) => map !== undefined && !('bucket' in map));
}

/** What a challenge period file of either form says. */
export function readChallengeFile(file: ChallengeMapsFile | ChallengeBucketsFile): ChallengeState {
  if (!isMapsFile(file)) {
    return new Map(
      Object.entries(file).map(([hotkey, row]): [string, BucketEntry] => [
        hotkey,
        {
          bucket: row.bucket,
          startMs: row.bucket_start_time,
          previousBucket: row.previous_bucket,
          previousStartMs: row.previous_bucket_start_time,
        },
      ]),
    );
  }
  const { testing = {}, success = {} } = file as Partial<ChallengeMapsFile>;
  const entries = (map: ChallengeMapsFile['testing'], bucket: Bucket): [string, BucketEntry][] =>
    Object.entries(map).map(([hotkey, startMs]) => [hotkey, { bucket, startMs }]);
  return new Map([...entries(testing, 'CHALLENGE'), ...entries(success, 'MAINCOMP')]);
}

/** The state as validators up to autumn 2025 write it. */
export function challengeMaps(state: ChallengeState): ChallengeMapsFile {
  const map = (bucket: Bucket): Record<string, number | null> =>
    Object.fromEntries(
      hotkeysIn(state, bucket).map((hotkey) => [hotkey, state.get(hotkey)?.startMs ?? null]),
    );
  return { testing: map('CHALLENGE'), success: map('MAINCOMP') };
}

/** The state as validators since autumn 2025 write it. */
export function challengeBuckets(state: ChallengeState): ChallengeBucketsFile {
  return Object.fromEntries(
    [...state].map(([hotkey, { bucket, startMs, previousBucket = null, previousStartMs = null }]) => [
      hotkey,
      {
        bucket,
        bucket_start_time: startMs,
        previous_bucket: previousBucket,
        previous_bucket_start_time: previousStartMs,
      },
    ]),
  );
}
