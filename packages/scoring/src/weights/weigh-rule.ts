import type { ChallengeState } from '../challenge/buckets.ts';
import type { MinerRecord } from '../miner-record.ts';
import type { ScoredMiners } from '../scored-miners.ts';

/** What the network pays out, which weights of the generations that pay by debt depend on. */
export interface Emissions {
  /** Gets what no miner is owed. */
  readonly burnHotkey: string;
  /** What the subnet is expected to pay a day, US dollars: emission a tempo / 360 * 7200 * price of TAO. Since 2025-12. */
  readonly projectedDailyUsd?: number;
}

export interface WeighInput {
  /** Unix ms. */
  readonly nowMs: number;
  readonly state: ChallengeState;
  /** By hotkey. */
  readonly miners: ReadonlyMap<string, MinerRecord>;
  /** The main competition, weighted. */
  readonly main: ScoredMiners;
  readonly emissions?: Emissions | undefined;
}

export type Weights = readonly (readonly [hotkey: string, weight: number])[];
