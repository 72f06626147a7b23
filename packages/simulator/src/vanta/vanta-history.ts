import type { Market } from '../market/market.ts';
import type { Miner } from '../records/miners.ts';
import type { ScoredHistory } from '../statistics/scored-history.ts';
import { vantaLedgers } from './vanta-ledgers.ts';
import type { LedgersInput, MinerLedgers, WrittenHistory } from './vanta-ledgers.ts';

/** What the files of validators since December 2025 are made of. */
export interface VantaHistory {
  readonly seed: number;
  readonly market: Market;
  /** Unix ms. */
  readonly nowMs: number;
  readonly miners: readonly Miner[];
  readonly scored: ScoredHistory;
  readonly ledgers: readonly MinerLedgers[];
  readonly written: WrittenHistory;
}

/** A history with the ledgers that follow from it. */
export function vantaHistory(input: LedgersInput & { readonly nowMs: number }): VantaHistory {
  return { ...input, ledgers: vantaLedgers(input) };
}
