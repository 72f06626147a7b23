import type { ChallengeState, Elimination, LedgerBundle, MinerRecord } from '@ptn-api/scoring';
import { minerRecord, PORTFOLIO } from '@ptn-api/scoring';
import type { Position } from '@ptn-api/protocol';

/** Nothing can be scored; the message says why, and what to do. */
export class CannotScoreError extends Error {
  override readonly name = 'CannotScoreError';
}

/** What a validator knows of its miners, from wherever it was read. */
export interface ScoreSource {
  /** Where it is from, for people. */
  readonly name: string;
  readonly miners: readonly MinerRecord[];
  readonly state: ChallengeState;
  /** The form of the challenge period file: `maps` up to autumn 2025. */
  readonly form: 'maps' | 'buckets';
  readonly eliminations: readonly Elimination[];
  /** Unix ms up to which the newest ledger is written. */
  readonly newestMs: number;
  /** What was left out or is doubtful: sentences. */
  readonly problems: readonly string[];
}

/** The parts of a source, as its files hold them. */
export interface SourceParts {
  readonly ledgers: ReadonlyMap<string, LedgerBundle>;
  readonly positions: ReadonlyMap<string, readonly Position[]>;
  /** US dollars, by hotkey. */
  readonly accountSizes: ReadonlyMap<string, number>;
}

/**
 * The records of all miners that have ledgers or positions.
 *
 * @throws CannotScoreError where no ledger has a cell.
 */
export function recordsOf({ ledgers, positions, accountSizes }: SourceParts): {
  readonly miners: MinerRecord[];
  readonly newestMs: number;
} {
  const hotkeys = new Set([...ledgers.keys(), ...positions.keys()]);
  const miners = [...hotkeys].map((hotkey) =>
    minerRecord({
      hotkey,
      ledgers: ledgers.get(hotkey),
      positions: positions.get(hotkey) ?? [],
      accountSize: accountSizes.get(hotkey),
    }),
  );
  let newestMs = -Infinity;
  for (const bundle of ledgers.values()) {
    newestMs = Math.max(newestMs, bundle.get(PORTFOLIO)?.cps.at(-1)?.last_update_ms ?? -Infinity);
  }
  if (newestMs === -Infinity) {
    throw new CannotScoreError('no miner has a portfolio ledger that can be read: there is nothing to score');
  }
  return { miners, newestMs };
}
