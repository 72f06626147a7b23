import { hotkeysIn } from './buckets.ts';
import type { BucketEntry } from './buckets.ts';
import { candidateOf } from './inspect-challenge.ts';
import type { CandidateReport, Failure } from './inspect-challenge.ts';
import type { InspectChallenge } from '../generations/generation.ts';
import { Trial } from './trial.ts';

const PERCENTILE_THRESHOLD = 0.75;

/**
 * The challenge period up to summer 2025. A candidate is promoted when it has the trading days and would be within the best
 * quarter of the main competition, even after its time. It fails by drawdown, and by time when that is over.
 */
export const inspectByPercentile: InspectChallenge = (input) => {
  const { generation, nowMs, state } = input;
  const { challengeMs, minimumDays: minimumDaysAt } = generation.challenge;
  const trial = new Trial(input.main, generation, nowMs);
  const minimumDays = minimumDaysAt(nowMs);
  const promoted: string[] = [];
  const failed = new Map<string, Failure>();
  const reports = new Map<string, CandidateReport>();
  for (const hotkey of hotkeysIn(state, 'CHALLENGE')) {
    const candidate = candidateOf(hotkey, state.get(hotkey) as BucketEntry, challengeMs, input);
    if ('skipped' in candidate) {
      reports.set(hotkey, { tradingDays: 0, minimumDays, drawdown: 0, remainingMs: undefined, ...candidate });
      continue;
    }
    const { miner, remainingMs, drawdown, hasRecord } = candidate;
    const isInTime = remainingMs >= 0;
    const { percentile, tradingDays, metrics } = trial.of(miner);
    const report = { tradingDays, minimumDays, drawdown: drawdown.percent, remainingMs };
    if (!hasRecord) {
      reports.set(hotkey, { ...report, skipped: 'it has no closed position of a minute, or no ledger' });
      if (!isInTime) failed.set(hotkey, { reason: 'FAILED_CHALLENGE_PERIOD_TIME', dd: -1 });
      continue;
    }
    reports.set(hotkey, {
      ...report,
      percentile,
      metrics,
      percentileThreshold: PERCENTILE_THRESHOLD,
    });
    if (drawdown.isBeyondLimit) {
      failed.set(hotkey, { reason: 'FAILED_CHALLENGE_PERIOD_DRAWDOWN', dd: drawdown.percent });
    } else if (tradingDays >= minimumDays && percentile >= PERCENTILE_THRESHOLD) {
      promoted.push(hotkey);
    } else if (!isInTime) {
      failed.set(hotkey, { reason: 'FAILED_CHALLENGE_PERIOD_TIME', dd: drawdown.percent });
    }
  }
  return { promoted, demoted: [], moved: new Map(), failed, reports };
};
