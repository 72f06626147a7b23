/** The times that prices are asked for are multiples of this. */
export type Resolution = 'second' | 'minute';

export const RESOLUTION_MS: Readonly<Record<Resolution, number>> = { second: 1000, minute: 60_000 };

/** What building a ledger has to know of the markets. */
export interface MarketData {
  /** Whether a pair is traded at a time, Unix ms. */
  readonly isOpen: (pairId: string, timeMs: number) => boolean;
  /** The close of the candle that begins exactly at a time, Unix ms; undefined where there is none. */
  readonly close: (pairId: string, timeMs: number, resolution: Resolution) => number | undefined;
}
