import type { Logger } from 'pino';
import { OrderHeap } from './order-heap.ts';
import type { WaitingPosition } from './order-heap.ts';
import type { PositionText } from '../tasks/settled-blocks.ts';

/** What one commit holds at most: some 20 ms of work of the thread that also answers the supervisor. */
const BATCH_ORDERS = 512;
/** What is parsed for one batch at most, in characters; a larger position comes alone. */
const BATCH_WORK = 2_000_000;
/** What a miner may cost before the others go first, in characters to parse: ten times what the validator allows in 10 h. */
const MINER_WORK = 8_000_000;
/** Orders of postponed miners in each batch while others wait. */
const POSTPONED_ORDERS = 32;

/** An order that is next to be numbered. */
export interface DueOrder {
  readonly orderUuid: string;
  readonly index: number;
  readonly waiting: WaitingPosition;
}

/**
 * Orders that wait to be numbered, in the order in which they were placed. Where one miner costs more than its share
 * while others wait, the others go first: its orders follow, a few with each batch, postponed miners in turn.
 */
export class OrderBacklog {
  readonly #log: Logger;
  readonly #positions = new Map<string, WaitingPosition[]>();
  readonly #heap = new OrderHeap();
  readonly #postponed = new Map<string, OrderHeap>();
  readonly #spent = new Map<string, number>();
  readonly #waitingOf = new Map<string, number>();
  #inBatch = new Set<string>();
  #waiting = 0;
  #ranks = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** How many orders wait, those of the current batch included. */
  get size(): number {
    return this.#waiting + this.#inBatch.size;
  }

  /** Whether the order is about to be stored. */
  isInBatch(orderUuid: string): boolean {
    return this.#inBatch.has(orderUuid);
  }

  /**
   * Has the orders of a new reading of a position wait. They take the place of the same orders of an earlier reading.
   */
  add(hotkey: string, position: PositionText, indexes: readonly number[]): void {
    if (indexes.length === 0) return;
    const { orderUuids, orderTimesMs } = position.facts;
    const sorted = indexes.toSorted((a, b) => (orderTimesMs[a] ?? 0) - (orderTimesMs[b] ?? 0));
    const item: WaitingPosition = {
      hotkey,
      position,
      indexes: sorted,
      done: 0,
      dueMs: 0,
      rank: this.#ranks++,
      parts: new Map(),
    };
    const earlier = this.#positions.get(keyOf(hotkey, position)) ?? [];
    const added = new Set(indexes.map((index) => orderUuids[index] ?? ''));
    for (const waiting of earlier) this.#withdraw(waiting, added);
    const left = earlier.filter(({ indexes: { length }, done }) => done < length);
    this.#positions.set(keyOf(hotkey, position), [...left, item]);
    this.#count(hotkey, indexes.length);
    (this.#postponed.get(hotkey) ?? this.#heap).push(item);
  }

  /** The orders to number next. They count as waiting until they are {@link stored}. */
  batch(): DueOrder[] {
    const due: DueOrder[] = [];
    let work = 0;
    const parsed = new Set<WaitingPosition>();
    const isFull = (): boolean => due.length >= BATCH_ORDERS || work >= BATCH_WORK;
    const take = (heap: OrderHeap, waiting: WaitingPosition): void => {
      const index = waiting.indexes[waiting.done] ?? 0;
      waiting.done += 1;
      this.#count(waiting.hotkey, -1);
      if (!waiting.parts.has(index) && !parsed.has(waiting)) work += waiting.position.text.length;
      parsed.add(waiting);
      due.push({ orderUuid: waiting.position.facts.orderUuids[index] ?? '', index, waiting });
      if (waiting.done < waiting.indexes.length) heap.push(waiting);
      else this.#forget(waiting);
    };
    while (!isFull()) {
      const waiting = this.#heap.pop();
      if (waiting === undefined) break;
      if (this.#isPostponed(waiting)) this.#postpone(waiting);
      else take(this.#heap, waiting);
    }
    const most = due.length === 0 ? BATCH_ORDERS : due.length + POSTPONED_ORDERS;
    for (const [hotkey, heap] of [...this.#postponed]) {
      if (due.length >= most || (due.length === 0 ? isFull() : work >= 2 * BATCH_WORK)) break;
      // To the end: whoever was not served now is served first in the next batch.
      this.#postponed.delete(hotkey);
      this.#postponed.set(hotkey, heap);
      for (let count = 0; count < POSTPONED_ORDERS; count++) {
        const waiting = heap.pop();
        if (waiting === undefined) break;
        take(heap, waiting);
      }
    }
    this.#inBatch = new Set(due.map(({ orderUuid }) => orderUuid));
    return due;
  }

  /** The batch is stored. */
  stored(): void {
    this.#inBatch.clear();
    if (this.#waiting > 0) return;
    this.#spent.clear();
    this.#waitingOf.clear();
    this.#postponed.clear();
    this.#positions.clear();
  }

  /** Splitting a position of the miner took this much, in characters to parse. */
  spend(hotkey: string, work: number): void {
    this.#spent.set(hotkey, (this.#spent.get(hotkey) ?? 0) + work);
  }

  #isPostponed({ hotkey }: WaitingPosition): boolean {
    if (this.#postponed.has(hotkey)) return true;
    const doOthersWait = (this.#waitingOf.get(hotkey) ?? 0) < this.#waiting;
    return doOthersWait && (this.#spent.get(hotkey) ?? 0) > MINER_WORK;
  }

  #count(hotkey: string, orders: number): void {
    this.#waiting += orders;
    this.#waitingOf.set(hotkey, (this.#waitingOf.get(hotkey) ?? 0) + orders);
  }

  #postpone(waiting: WaitingPosition): void {
    const { hotkey } = waiting;
    let heap = this.#postponed.get(hotkey);
    if (heap === undefined) {
      heap = new OrderHeap();
      this.#postponed.set(hotkey, heap);
      this.#log.warn(
        { event: 'miner-postponed', hotkey, waiting: this.#waiting },
        'the orders of a miner take more work than those of others: they are streamed after the orders of other miners',
      );
    }
    heap.push(waiting);
  }

  /** The orders that a later reading holds, too, are taken from it. */
  #withdraw(waiting: WaitingPosition, uuids: ReadonlySet<string>): void {
    const { hotkey, position, indexes, done } = waiting;
    const left = indexes.slice(done).filter((index) => !uuids.has(position.facts.orderUuids[index] ?? ''));
    this.#count(hotkey, left.length - (indexes.length - done));
    waiting.indexes = left;
    waiting.done = 0;
  }

  #forget(waiting: WaitingPosition): void {
    const key = keyOf(waiting.hotkey, waiting.position);
    const left = (this.#positions.get(key) ?? []).filter((other) => other !== waiting);
    if (left.length > 0) this.#positions.set(key, left);
    else this.#positions.delete(key);
  }
}

function keyOf(hotkey: string, { facts }: PositionText): string {
  return `${hotkey} ${facts.positionUuid}`;
}
