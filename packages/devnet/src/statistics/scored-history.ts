import { minerRecord, minerStatistics, scoreRound, SCORING_GENERATIONS } from '@ptn-api/rules';
import type { BucketEntry, ChallengeState, LedgerBundle, MinerStatisticsFile } from '@ptn-api/rules';
import { positionsOf } from '../records/miners.ts';
import type { Miner } from '../records/miners.ts';
import { ledgersOf } from './portfolio.ts';

const CHALLENGE_PERIOD_MS = 60 * 86_400_000;
const generation = SCORING_GENERATIONS['2025-05'];

/** What a validator would make of a history. */
export interface ScoredHistory {
  readonly challenge: ChallengeState;
  readonly ledgers: ReadonlyMap<string, LedgerBundle>;
  readonly statistics: MinerStatisticsFile;
}

/**
 * Who is in the main competition of a history: those that have been there for 60 days; in a shorter one, for half of it, since
 * nobody is paid without one.
 */
function challengeOf(miners: readonly Miner[], nowMs: number): Map<string, BucketEntry> {
  const ages = miners.map(({ joinedMs }) => nowMs - joinedMs);
  const limitMs = Math.min(CHALLENGE_PERIOD_MS, Math.max(0, ...ages) / 2);
  return new Map(
    miners.map(({ hotkey, joinedMs }): [string, BucketEntry] => [
      hotkey,
      { bucket: nowMs - joinedMs < limitMs ? 'CHALLENGE' : 'MAINCOMP', startMs: joinedMs },
    ]),
  );
}

/** Scores a history as of `nowMs`, Unix ms. Ledgers of miners that were taken out end there. */
export function scoreHistory(miners: readonly Miner[], nowMs: number, version: string): ScoredHistory {
  const records = miners.map((miner) => {
    const positions = positionsOf(miner);
    const untilMs = miner.elimination?.elimination_initiated_time_ms ?? nowMs;
    return minerRecord({ hotkey: miner.hotkey, positions, ledgers: ledgersOf(positions, untilMs) });
  });
  const challenge = challengeOf(
    miners.filter(({ elimination }) => elimination === undefined),
    nowMs,
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
  return { challenge, ledgers, statistics };
}
