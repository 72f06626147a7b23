import type { Position } from '@ptn-api/protocol';
import { drawdownThresholdPenalty } from '../drawdown.ts';
import type { PerfLedger } from '../ledger/checkpoint.ts';
import { martingalePenalty } from './martingale.ts';
import { riskProfilePenalty } from './risk-profile.ts';

/** What penalties are computed from. */
export interface PenaltyInput {
  /** Those that count, see `scoring-positions.ts`. */
  readonly positions: readonly Position[];
  /** An empty one where the miner has none. */
  readonly ledger: Pick<PerfLedger, 'cps'>;
  /** US dollars; undefined where it is not known. */
  readonly accountSize: number | undefined;
}

/** A factor, 0 to 1, that a miner's score is multiplied with. */
export type Penalty = (input: PenaltyInput) => number;

const MINIMUM_ACCOUNT_SIZE_USD = 150_000;
const SMALL_ACCOUNT_FACTOR = 0.01;

export const drawdownThreshold: Penalty = ({ ledger }) => drawdownThresholdPenalty(ledger);

export const riskProfile: Penalty = ({ positions }) => riskProfilePenalty(positions);

export const martingale: Penalty = ({ positions }) => martingalePenalty(positions);

/** 0.01 for an account of less than 150,000 US dollars, and for one whose size is not known. */
export const minimumCollateral: Penalty = ({ accountSize }) =>
  (accountSize ?? 0) >= MINIMUM_ACCOUNT_SIZE_USD ? 1 : SMALL_ACCOUNT_FACTOR;
