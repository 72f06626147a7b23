import type { PositionsHead } from '@ptn-api/runtime';

/** Removed hotkeys are remembered up to this many; older generations are then no longer answered. */
const GONE_LIMIT = 4096;
const GAPS_LIMIT = 64;

/** Generations strictly between the two were never held by this worker. */
interface Gap {
  readonly after: number;
  readonly before: number;
}

/**
 * Since which generations this worker knows the changes, and the hotkeys that were removed meanwhile. Workers that
 * were started at different times know different pasts: each answers only what follows from the states it has held
 * itself, and says so where it does not know.
 */
export interface History {
  readonly generation: number;
  /** Nothing is known of generations below. */
  readonly oldest: number;
  readonly gaps: readonly Gap[];
  /** Hotkey -> generation it went away in, oldest first. */
  readonly gone: ReadonlyMap<string, number>;
}

/**
 * The history with one more generation.
 *
 * - The first one held, or one that is not above the last (another world: nothing is known of how they relate):
 *   the history starts anew, above every generation handed out so far.
 * - A change says by itself when each miner last changed, however many generations it brings.
 * - A full state says nothing of what was between it and the last: a miner may have changed and changed back.
 *
 * @param removed Hotkeys that were held, or that the change names, and are not in the new generation.
 * @param present Every hotkey of the new generation.
 */
export function advance(
  previous: History | undefined,
  { generation, goneAt = generation }: Pick<PositionsHead, 'generation' | 'goneAt'>,
  isReset: boolean,
  removed: Iterable<string>,
  present: Iterable<string>,
): History {
  if (previous === undefined || generation <= previous.generation) {
    const oldest = previous === undefined ? goneAt : Math.max(previous.oldest, previous.generation + 1);
    return { generation, oldest, gaps: [], gone: new Map() };
  }
  const gone = new Map(previous.gone);
  for (const hotkey of removed) {
    gone.delete(hotkey);
    gone.set(hotkey, generation);
  }
  for (const hotkey of present) gone.delete(hotkey);
  const gap = { after: previous.generation, before: generation };
  const gaps = isReset ? [...previous.gaps, gap] : [...previous.gaps];
  const oldest = Math.max(previous.oldest, dropOldGaps(gaps), dropOldGone(gone));
  return { generation, oldest, gaps, gone };
}

/** Whether the changes since that generation are known. The generation must not be above the history's own. */
export function isKnown(history: History, since: number): boolean {
  return (
    since >= history.oldest &&
    since <= history.generation &&
    !history.gaps.some(({ after, before }) => since > after && since < before)
  );
}

/** Cuts `gaps` to its limit; returns the oldest generation that can still be answered, 0 where none was cut. */
function dropOldGaps(gaps: Gap[]): number {
  const dropped = gaps.splice(0, Math.max(0, gaps.length - GAPS_LIMIT));
  return dropped.at(-1)?.before ?? 0;
}

/** Cuts `gone` to its limit; returns the oldest generation that can still be answered, 0 where none was cut. */
function dropOldGone(gone: Map<string, number>): number {
  let oldest = 0;
  for (const [hotkey, generation] of gone) {
    if (gone.size <= GONE_LIMIT) break;
    gone.delete(hotkey);
    oldest = generation;
  }
  return oldest;
}
