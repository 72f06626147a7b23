import type { Position } from '@ptn-api/protocol';
import type { DebtCheckpoint } from './debt/debt-checkpoint.ts';
import type { LedgerBundle } from './ledger/checkpoint.ts';
import { scoringPositions } from './penalties/scoring-positions.ts';

/** What scoring knows of a miner. */
export interface MinerRecord {
  readonly hotkey: string;
  /** Undefined where none was built yet. */
  readonly ledgers: LedgerBundle | undefined;
  /** All of them, open and closed. */
  readonly positions: readonly Position[];
  /** Those that count: see `scoringPositions`. */
  readonly scoringPositions: readonly Position[];
  /** US dollars; since account sizes exist. */
  readonly accountSize?: number | undefined;
  /** What the miner earned and was paid, in generations that pay by debt. */
  readonly debt?: readonly DebtCheckpoint[] | undefined;
}

/** A miner's record, with the positions that count picked out of all. */
export function minerRecord(miner: Omit<MinerRecord, 'scoringPositions'>): MinerRecord {
  return { ...miner, scoringPositions: scoringPositions(miner.positions) };
}
