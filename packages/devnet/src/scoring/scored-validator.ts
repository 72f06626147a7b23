import type { Position } from '@ptn-api/protocol';
import type { Elimination, Resolution } from '@ptn-api/scoring';

/** What scoring has to know of the validator that takes the orders, and what it reports to it. */
export interface ScoredValidator {
  /** Miners that have positions. */
  hotkeys(): readonly string[];
  /** All positions of a miner, open and closed. */
  positionsOf(hotkey: string): readonly Position[];
  /** Rows of `eliminations.json` by hotkey; their miners place no orders any more. */
  readonly eliminated: ReadonlyMap<string, Elimination>;
  /** Hotkeys in the metagraph. */
  readonly registered: ReadonlySet<string>;
  /** Stores the row, then closes the miner's open positions as of its time: both are on disk when this returns. */
  closeAll(hotkey: string, elimination: Elimination, nowMs: number): void;
  /** Drops the rows of all other hotkeys. */
  keepEliminations(hotkeys: ReadonlySet<string>): void;
}

/** Prices as the market had them. */
export interface ClosePrices {
  /** Close of the candle that begins at a time, Unix ms; undefined where there is none. */
  closeAt(pairId: string, timeMs: number, resolution?: Resolution): number | undefined;
}
