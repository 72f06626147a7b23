import { hotkeysIn } from '../challenge/buckets.ts';
import type { ChallengeState } from '../challenge/buckets.ts';
import type { Failure } from '../challenge/inspect-challenge.ts';
import { drawdownState } from '../drawdown.ts';
import { PORTFOLIO } from '../ledger/checkpoint.ts';
import type { MinerRecord } from '../miner-record.ts';
import type { Elimination } from './elimination.ts';

const DELETION_DELAY_MS = 2 * 86_400_000;

export interface EliminationInput {
  /** Unix ms. */
  readonly nowMs: number;
  /** Rows that exist. */
  readonly existing: readonly Elimination[];
  /** Miners that were liquidated while their ledgers were built. */
  readonly liquidations: readonly Elimination[];
  /** Who failed the challenge period. */
  readonly failed: ReadonlyMap<string, Failure>;
  readonly state: ChallengeState;
  readonly miners: ReadonlyMap<string, MinerRecord>;
  /** Hotkeys that are registered; undefined where that is not known, and nobody is a zombie. */
  readonly metagraph?: ReadonlySet<string> | undefined;
}

/**
 * The rows that a pass adds, in the order in which validators look: liquidations, failures of the challenge period, drawdowns
 * of the main competition, miners that are not registered any more. A hotkey has one row, the first.
 */
export function findEliminations(input: EliminationInput): Elimination[] {
  const { nowMs, miners, metagraph } = input;
  const known = new Set(input.existing.map(({ hotkey }) => hotkey));
  const rows: Elimination[] = [];
  const add = (row: Elimination): void => {
    if (known.has(row.hotkey)) return;
    known.add(row.hotkey);
    rows.push(row);
  };
  for (const row of input.liquidations) add(row);
  for (const [hotkey, { reason, dd }] of input.failed) {
    add({ hotkey, elimination_initiated_time_ms: nowMs, dd, reason });
  }
  for (const hotkey of hotkeysIn(input.state, 'MAINCOMP')) {
    const { isBeyondLimit, percent } = drawdownState(miners.get(hotkey)?.ledgers?.get(PORTFOLIO));
    if (isBeyondLimit) {
      add({ hotkey, elimination_initiated_time_ms: nowMs, dd: percent, reason: 'MAX_TOTAL_DRAWDOWN' });
    }
  }
  for (const hotkey of metagraph === undefined ? [] : miners.keys()) {
    if (metagraph?.has(hotkey) === false) {
      add({ hotkey, elimination_initiated_time_ms: nowMs, dd: null, reason: 'ZOMBIE' });
    }
  }
  return rows;
}

/** The rows that are kept: those that are not two days old, or whose hotkey is still registered. */
export function keptEliminations(
  rows: readonly Elimination[],
  nowMs: number,
  metagraph: ReadonlySet<string>,
): Elimination[] {
  return rows.filter(
    ({ hotkey, elimination_initiated_time_ms: timeMs }) =>
      nowMs - timeMs < DELETION_DELAY_MS || metagraph.has(hotkey),
  );
}
