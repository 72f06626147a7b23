import type { MinerPositions } from './position.ts';
import type { Tier } from './tier.ts';

/** Body of every error answer. */
export interface ErrorBody {
  error: string;
}

/** Body of `GET /miner-positions/changes`. */
export interface MinerPositionsChanges {
  /** The generation asked for: everything that changed after it is in `miners` or `gone`. */
  since: number;
  /** The generation of this answer: ask for changes since it next time. */
  generation: number;
  tier: Tier;
  miners: Readonly<Record<string, MinerPositions>>;
  /** Hotkeys that are no longer there. */
  gone: readonly string[];
}
