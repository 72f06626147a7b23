import { minerRecord, minerStatistics, scoreRound, SCORING_GENERATIONS } from '@ptn-api/scoring';
import type {
  Bucket,
  BucketEntry,
  Checkpoint,
  ChallengeState,
  LedgerBundle,
  MinerRecord,
  MinerStatisticsFile,
} from '@ptn-api/scoring';
import { positionsOf } from '../records/miners.ts';
import type { Miner } from '../records/miners.ts';
import { ledgersOf } from './portfolio.ts';
import type { ReturnSums } from './portfolio.ts';
import type { WrittenLedgers } from './written-cells.ts';

const CHALLENGE_PERIOD_MS = 60 * 86_400_000;
const generation = SCORING_GENERATIONS['2025-05'];

/** What a validator would make of a history. */
export interface ScoredHistory {
  readonly challenge: ChallengeState;
  /** Where a miner stood at a time, Unix ms. */
  readonly bucketAt: (miner: Miner, timeMs: number) => Bucket;
  readonly records: readonly MinerRecord[];
  readonly ledgers: ReadonlyMap<string, LedgerBundle>;
  readonly statistics: MinerStatisticsFile;
}

/**
 * How long a miner is in the challenge period of a history: 60 days; in a shorter one, half of the time that the first miner has
 * been there, since nobody is paid without a main competition.
 */
function challengePeriodMs(miners: readonly Miner[], nowMs: number): number {
  return Math.min(
    CHALLENGE_PERIOD_MS,
    miners.reduce((longest, { joinedMs }) => Math.max(longest, nowMs - joinedMs), 0) / 2,
  );
}

/**
 * Scores a history as of `nowMs`, Unix ms. Ledgers of miners that were taken out end there.
 *
 * @param written by hotkey what stays of the ledgers as it is; what is complete now is added to it.
 */
export function scoreHistory(
  miners: readonly Miner[],
  nowMs: number,
  version: string,
  written: WrittenLedgers<Checkpoint, ReturnSums>,
): ScoredHistory {
  const records = miners.map((miner) => {
    const positions = positionsOf(miner);
    const untilMs = miner.elimination?.elimination_initiated_time_ms ?? nowMs;
    const { hotkey } = miner;
    return minerRecord({ hotkey, positions, ledgers: ledgersOf(positions, untilMs, written.of(hotkey)) });
  });
  const active = miners.filter(({ elimination }) => elimination === undefined);
  const periodMs = challengePeriodMs(active, nowMs);
  const bucketAt = ({ joinedMs }: Miner, timeMs: number): Bucket =>
    timeMs - joinedMs < periodMs ? 'CHALLENGE' : 'MAINCOMP';
  const challenge = new Map(
    active.map((miner): [string, BucketEntry] => [
      miner.hotkey,
      { bucket: bucketAt(miner, nowMs), startMs: miner.joinedMs },
    ]),
  );
  const eliminations = miners.flatMap(({ elimination }) => elimination ?? []);
  const { weights } = scoreRound({ nowMs, generation, miners: records, state: challenge, eliminations });
  const suspects = miners.filter(({ plagiarism }) => plagiarism > 0);
  const statistics = minerStatistics({
    nowMs,
    generation,
    version,
    state: challenge,
    miners: records,
    weights,
    plagiarism: new Map(suspects.map(({ hotkey, plagiarism }) => [hotkey, plagiarism])),
    withCheckpoints: true,
  });
  const ledgers = new Map(records.map(({ hotkey, ledgers: own }) => [hotkey, own ?? new Map()]));
  return { challenge, bucketAt, records, ledgers, statistics };
}
