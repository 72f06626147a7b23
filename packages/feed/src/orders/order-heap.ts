import type { PositionParts } from '@ptn-api/order-log';
import type { PositionText } from '@ptn-api/positions';

/** Orders of one reading of a position that wait to be numbered. */
export interface WaitingPosition {
  readonly hotkey: string;
  readonly position: PositionText;
  /** Indexes of the orders, in the order in which they were placed. */
  indexes: readonly number[];
  /** How many of them were handed on. */
  done: number;
  /** By which it has its place in the heap. */
  dueMs: number;
  /** Which one came first, where times are equal. */
  readonly rank: number;
  /** It was taken apart for the next of them beforehand. */
  isPrepared: boolean;
  /** What messages of them are made of, as far as it is known; by index. */
  readonly parts: Map<number, PositionParts>;
}

/** When the next of its orders was placed, Unix ms; Infinity when none is left. */
function nextTimeMs({ position, indexes, done }: WaitingPosition): number {
  return position.facts.orderTimesMs[indexes[done] ?? -1] ?? Infinity;
}

function isBefore(a: WaitingPosition, b: WaitingPosition): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.rank < b.rank);
}

/** Positions by the time of their next order: a backlog of a million orders is never sorted as a whole. */
export class OrderHeap {
  readonly #items: WaitingPosition[] = [];

  /** One without orders is passed over. */
  push(item: WaitingPosition): void {
    item.dueMs = nextTimeMs(item);
    if (item.dueMs === Infinity) return;
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent];
      if (above === undefined || !isBefore(item, above)) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  /** Orders may have been taken from a position while it was here. */
  pop(): WaitingPosition | undefined {
    for (;;) {
      const first = this.#popFirst();
      if (first === undefined || nextTimeMs(first) === first.dueMs) return first;
      this.push(first);
    }
  }

  #popFirst(): WaitingPosition | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [items[child], items[child + 1]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const smaller = isRight ? right : left;
      if (isRight) child += 1;
      if (!isBefore(smaller, last)) break;
      items[at] = smaller;
      at = child;
    }
    items[at] = last;
    return first;
  }
}
