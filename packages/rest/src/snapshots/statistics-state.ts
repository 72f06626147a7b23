import { storedSegment } from '@ptn-api/positions';
import type { Segment } from '@ptn-api/positions';
import type { StatisticsHead, StatisticsMiner, Transaction } from '@ptn-api/runtime';
import { joinedSnapshot, keptSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

const HEAD_KEY = 'head';
const MINER_KEY = 'miner:';
const SEPARATOR = storedSegment(', ');
const CLOSING = storedSegment('}');

function elementSegments({ base, checkpoints }: StatisticsMiner, withCheckpoints: boolean): Segment[] {
  return checkpoints !== undefined && withCheckpoints ? [base, checkpoints, CLOSING] : [base, CLOSING];
}

/** One version of the statistics file. Never changes. */
export class StatisticsState {
  readonly head: StatisticsHead;
  /** In the order of the file. */
  readonly miners: ReadonlyMap<string, StatisticsMiner>;
  readonly #full = new Map<boolean, Snapshot>();

  constructor(head: StatisticsHead, miners: ReadonlyMap<string, StatisticsMiner>) {
    this.head = head;
    this.miners = miners;
  }

  /** The whole file, joined once per version on first demand. */
  full(withCheckpoints: boolean): Snapshot {
    let full = this.#full.get(withCheckpoints);
    if (full === undefined) {
      const segments: Segment[] = [this.head.head];
      for (const miner of this.miners.values()) {
        if (segments.length > 1) segments.push(SEPARATOR);
        segments.push(...elementSegments(miner, withCheckpoints));
      }
      segments.push(this.head.tail);
      full = keptSnapshot(segments, this.head.modifiedMs);
      this.#full.set(withCheckpoints, full);
    }
    return full;
  }

  /** One miner's element; `undefined` where there is no such miner. */
  miner(hotkey: string, withCheckpoints: boolean): Snapshot | undefined {
    const miner = this.miners.get(hotkey);
    return miner && joinedSnapshot(elementSegments(miner, withCheckpoints), this.head.modifiedMs);
  }
}

/**
 * The statistics with one transaction more.
 *
 * @returns `undefined` when there is no statistics file.
 * @throws Error when the head names a hotkey whose element was never sent.
 */
export function foldStatistics(
  previous: StatisticsState | undefined,
  { reset, put, remove }: Transaction<'statistics'>,
): StatisticsState | undefined {
  let head = reset ? undefined : previous?.head;
  const held = new Map(reset ? [] : previous?.miners);
  for (const key of remove) {
    if (key === HEAD_KEY) head = undefined;
    else held.delete(key.slice(MINER_KEY.length));
  }
  for (const [key, value] of put) {
    if (value.kind === 'statistics-head') head = value;
    else held.set(key.slice(MINER_KEY.length), value);
  }
  if (head === undefined) return undefined;
  const miners = new Map<string, StatisticsMiner>();
  for (const hotkey of head.hotkeys) {
    const miner = held.get(hotkey);
    if (miner === undefined)
      throw new Error(`the head of the statistics names ${hotkey}, whose element was never sent`);
    miners.set(hotkey, miner);
  }
  return new StatisticsState(head, miners);
}
