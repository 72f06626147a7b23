import type { Position } from '@ptn-api/protocol';
import type { LedgerBundle } from './checkpoint.ts';
import type { FeeCache } from './fee-cache.ts';
import type { LedgerTerms } from './ledger-terms.ts';
import type { MarketData } from './market-data.ts';

/** What an update of a miner's ledgers is made from. */
export interface LedgerUpdate {
  readonly hotkey: string;
  /** The miner's ledgers so far; undefined for a new miner, and to build anew. */
  readonly ledgers: LedgerBundle | undefined;
  /** All positions of the miner. */
  readonly positions: readonly Position[];
  /** Up to when to build, Unix ms. Validators stay 10 minutes behind the wall clock, so that candles are complete. */
  readonly nowMs: number;
  /** Unix ms. */
  readonly wallClockMs: number;
  readonly market: MarketData;
  readonly terms: LedgerTerms;
  /** Kept by the caller from one update to the next. */
  readonly fees: FeeCache;
}
