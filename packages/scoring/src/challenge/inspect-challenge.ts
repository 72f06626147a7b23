import { drawdownState } from '../drawdown.ts';
import { ledgerStartMs, PORTFOLIO } from '../ledger/checkpoint.ts';
import { minerRecord } from '../miner-record.ts';
import type { MinerRecord } from '../miner-record.ts';
import { firstOrderMs } from '../penalties/scoring-positions.ts';
import type { ScoredMiners } from '../scored-miners.ts';
import type { BucketEntry, ChallengeState } from './buckets.ts';

export interface InspectInput {
  /** Unix ms. */
  readonly nowMs: number;
  readonly state: ChallengeState;
  readonly miners: ReadonlyMap<string, MinerRecord>;
  /** The main competition, weighted. */
  readonly main: ScoredMiners;
  /** Who copies at present, as an outside service says; undefined where nobody asks one. */
  readonly plagiarists?: ReadonlySet<string> | undefined;
}

export type FailureReason =
  | 'FAILED_CHALLENGE_PERIOD_TIME'
  | 'FAILED_CHALLENGE_PERIOD_DRAWDOWN'
  | 'PLAGIARISM';

/** Why a miner has to leave, and the drawdown that its elimination names: percent, or -1. */
export interface Failure {
  readonly reason: FailureReason;
  readonly dd: number;
}

/** A metric of a candidate among those of the main competition. */
export interface TrialMetric {
  readonly segment: string;
  readonly name: string;
  readonly score: number;
  /** 0 to 1. */
  readonly percentile: number;
  readonly weight: number;
}

/** Where a candidate stands between promotion and elimination. */
export interface CandidateReport {
  readonly tradingDays: number;
  readonly minimumDays: number;
  /** Percent. */
  readonly drawdown: number;
  /** Until its time is over, ms; negative after it, undefined without a start. */
  readonly remainingMs: number | undefined;
  /** 0 to 1; undefined where it was not tried. */
  readonly percentile?: number;
  /** What the percentile comes from; empty where the penalty is 0. */
  readonly metrics?: readonly TrialMetric[];
  /** What the percentile has to reach. */
  readonly percentileThreshold?: number;
  /** Its combined score in each segment, and the least that is in the main competition. */
  readonly segments?: readonly {
    readonly name: string;
    readonly score: number;
    readonly threshold: number;
  }[];
  /** Why nothing is decided, where that is so. */
  readonly skipped?: string;
}

/** What an inspection decides. Nobody is in more than one of the lists. */
export interface Inspection {
  readonly promoted: readonly string[];
  readonly demoted: readonly string[];
  /** Miners that move to another bucket for a reason other than their scores. */
  readonly moved: ReadonlyMap<string, BucketEntry>;
  readonly failed: ReadonlyMap<string, Failure>;
  readonly reports: ReadonlyMap<string, CandidateReport>;
}

/**
 * Whether the ledger began before the first order that is known: the hotkey was registered anew and its ledger is still of
 * the time before. So is a miner that has a ledger and no orders.
 */
export function isReregistered({ ledgers, positions }: MinerRecord): boolean {
  const ledger = ledgers?.get(PORTFOLIO);
  if (ledger === undefined) return false;
  const firstMs = firstOrderMs(positions);
  return firstMs === undefined || ledgerStartMs(ledger) < firstMs;
}

/** What every inspection checks first. */
export interface Candidate {
  readonly hotkey: string;
  readonly miner: MinerRecord;
  readonly remainingMs: number;
  readonly drawdown: ReturnType<typeof drawdownState>;
  /** Whether there is anything to score: positions that count, and cells. */
  readonly hasRecord: boolean;
}

/** The candidate, or why it is left as it is. */
export function candidateOf(
  hotkey: string,
  entry: BucketEntry,
  limitMs: number,
  { miners, nowMs }: Pick<InspectInput, 'miners' | 'nowMs'>,
): Candidate | { readonly skipped: string } {
  const miner = miners.get(hotkey) ?? minerRecord({ hotkey, ledgers: undefined, positions: [] });
  if (isReregistered(miner)) return { skipped: 'its ledger is older than its first order' };
  if (entry.startMs === null) return { skipped: 'its start is not known' };
  const ledger = miner.ledgers?.get(PORTFOLIO);
  return {
    hotkey,
    miner,
    remainingMs: limitMs - (nowMs - entry.startMs),
    drawdown: drawdownState(ledger),
    hasRecord: (ledger?.cps.length ?? 0) > 0 && miner.scoringPositions.length > 0,
  };
}
