import type { MinerRecord } from '../miner-record.ts';
import { scoreMiners } from '../score-miners.ts';
import { hotkeysIn, moveTo } from './buckets.ts';
import type { BucketEntry } from './buckets.ts';
import { candidateOf } from './inspect-challenge.ts';
import type { CandidateReport, Failure, InspectInput } from './inspect-challenge.ts';
import type { InspectChallenge } from '../generations/generation.ts';
import { PORTFOLIO } from '../ledger/checkpoint.ts';
import { dailyReturns } from '../daily-returns.ts';
import { mainCompetition, scoreOfRank } from './promotions.ts';

/** So many of each asset class are in the main competition. */
const MAIN_RANK = 25;
const PLAGIARISM_MS = 14 * 86_400_000;

/** Miners whom an outside service suspects enter their bucket, those it no longer suspects return, after 14 days they fail. */
function inspectPlagiarism(
  { state, nowMs, plagiarists }: InspectInput,
  moved: Map<string, BucketEntry>,
  failed: Map<string, Failure>,
): void {
  for (const [hotkey, entry] of state) {
    const isSuspected = plagiarists?.has(hotkey) ?? entry.bucket === 'PLAGIARISM';
    if (entry.bucket !== 'PLAGIARISM') {
      if (isSuspected) moved.set(hotkey, moveTo('PLAGIARISM', entry, nowMs));
    } else if (!isSuspected) {
      const previous = {
        bucket: entry.previousBucket ?? 'CHALLENGE',
        startMs: entry.previousStartMs ?? nowMs,
      };
      moved.set(hotkey, { ...previous, previousBucket: entry.bucket, previousStartMs: entry.startMs });
    } else if (entry.startMs !== null && nowMs - entry.startMs >= PLAGIARISM_MS) {
      failed.set(hotkey, { reason: 'PLAGIARISM', dd: -1 });
    }
  }
}

/**
 * The challenge period since autumn 2025: the main competition and all candidates are scored together, and the best of each
 * asset class make the main competition. Whoever falls out of it is on probation, whose time is limited as that of
 * newcomers is.
 */
export const inspectByRank: InspectChallenge = (input) => {
  const { generation, nowMs, state, miners } = input;
  const { challengeMs, probationMs = challengeMs, minimumDays: minimumDaysAt } = generation.challenge;
  const minimumDays = minimumDaysAt(nowMs);
  const moved = new Map<string, BucketEntry>();
  const failed = new Map<string, Failure>();
  const reports = new Map<string, CandidateReport>();
  const candidates: MinerRecord[] = [];
  inspectPlagiarism(input, moved, failed);
  for (const hotkey of hotkeysIn(state, 'CHALLENGE', 'PROBATION')) {
    if (moved.has(hotkey)) continue;
    const entry = state.get(hotkey) as BucketEntry;
    const limitMs = entry.bucket === 'PROBATION' ? probationMs : challengeMs;
    const candidate = candidateOf(hotkey, entry, limitMs, input);
    if ('skipped' in candidate) {
      reports.set(hotkey, { tradingDays: 0, minimumDays, drawdown: 0, remainingMs: undefined, ...candidate });
      continue;
    }
    const { miner, remainingMs, drawdown, hasRecord } = candidate;
    const tradingDays = dailyReturns(
      miner.ledgers?.get(PORTFOLIO),
      generation.cellDate,
      generation.ledger.cellMs,
    ).length;
    reports.set(hotkey, { tradingDays, minimumDays, drawdown: drawdown.percent, remainingMs });
    if (remainingMs < 0) failed.set(hotkey, { reason: 'FAILED_CHALLENGE_PERIOD_TIME', dd: -1 });
    else if (!hasRecord) continue;
    else if (drawdown.isBeyondLimit) {
      failed.set(hotkey, { reason: 'FAILED_CHALLENGE_PERIOD_DRAWDOWN', dd: drawdown.percent });
    } else if (tradingDays >= minimumDays) candidates.push(miner);
  }
  const main = hotkeysIn(state, 'MAINCOMP').filter((hotkey) => !moved.has(hotkey));
  const mainMiners = main.flatMap((hotkey) => miners.get(hotkey) ?? []);
  const scored = scoreMiners([...mainMiners, ...candidates], generation, { nowMs, isWeighted: true });
  const members = mainCompetition(scored, MAIN_RANK);
  for (const { hotkey } of candidates) {
    const segments = scored.segments.map(({ segment, combined }) => ({
      name: segment.name,
      score: combined.get(hotkey) ?? 0,
      threshold: scoreOfRank(combined, MAIN_RANK),
    }));
    reports.set(hotkey, { ...(reports.get(hotkey) as CandidateReport), segments });
  }
  return {
    promoted: candidates.filter(({ hotkey }) => members.has(hotkey)).map(({ hotkey }) => hotkey),
    demoted: main.filter((hotkey) => !members.has(hotkey)),
    moved,
    failed,
    reports,
  };
};
