import { readChallengeFile } from '@ptn-api/scoring';
import type { ChallengeState } from '@ptn-api/scoring';
import { isObject } from './read-json.ts';

/** Who is where in the challenge period, and in which of its two forms the file says so. */
export interface ChallengeReading {
  readonly state: ChallengeState;
  /** `maps` up to autumn 2025, `buckets` since. */
  readonly form: 'maps' | 'buckets';
}

const isTime = (value: unknown): boolean => value === null || typeof value === 'number';
const isMap = (value: unknown): boolean =>
  value === undefined || (isObject(value) && Object.values(value).every(isTime));
const isRow = (value: unknown): boolean =>
  isObject(value) && typeof value['bucket'] === 'string' && isTime(value['bucket_start_time'] ?? null);

/** What `challengeperiod.json` says; one phrase that goes on "the file ..." where it says nothing of the kind. */
export function readChallenge(value: unknown): ChallengeReading | string {
  if (!isObject(value)) return 'is not a map of miners';
  const isOfRows = Object.values(value).every(isRow);
  const { testing, success } = value;
  if (!isOfRows && !(isMap(testing) && isMap(success) && (testing ?? success) !== undefined)) {
    return 'has neither testing and success with times, nor a bucket for each miner';
  }
  const state = readChallengeFile(value as unknown as Parameters<typeof readChallengeFile>[0]);
  return { state, form: isOfRows ? 'buckets' : 'maps' };
}
