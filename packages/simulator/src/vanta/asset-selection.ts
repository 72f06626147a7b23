import { joinMembers, quote } from '@ptn-api/positions';
import type { Miner } from '../records/miners.ts';

/** The class that a miner has chosen: that of most of its pairs. */
export function assetSelectionOf({ pairs }: Miner): 'crypto' | 'forex' {
  const count = (assetClass: string): number => pairs.filter((pair) => pair.assetClass === assetClass).length;
  return count('crypto') >= count('forex') ? 'crypto' : 'forex';
}

/** `asset_selections.json`. */
export function assetSelectionsText(miners: readonly Miner[]): string {
  return joinMembers(miners.map((miner) => [miner.hotkey, quote(assetSelectionOf(miner))]));
}
