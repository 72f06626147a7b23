import type { PricesAt, SlippageFeatures } from '@ptn-api/rules';
import type { Resolution } from '@ptn-api/scoring';

/** Where a validator has its prices from. The same question always has the same answer. Times are Unix ms. */
export interface Prices {
  /** The pairs that there are prices of. */
  readonly pairIds: readonly string[];
  /** The times that there are prices for. */
  readonly span: { readonly fromMs: number; readonly toMs: number };
  /**
   * What the sources have for an instant of a pair; nothing while its market is closed.
   *
   * @param knownMs by when they have it, no earlier than the instant: of what happens around it they know more later.
   */
  at(pairId: string, timeMs: number, knownMs?: number): PricesAt;
  /** The quotes of an instant; undefined where there are none. */
  quoteAt(pairId: string, timeMs: number): { readonly bid: number; readonly ask: number } | undefined;
  /** The close of the candle that begins exactly at a time; undefined where there is none. */
  closeAt(pairId: string, timeMs: number, resolution?: Resolution): number | undefined;
  /** What slippage depends on, on the day (UTC) of a time; undefined where it is not known. */
  slippageFeatures(pairId: string, timeMs: number): SlippageFeatures | undefined;
}
