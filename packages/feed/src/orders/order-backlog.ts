import type { Logger } from 'pino';
import { Budgets } from '@ptn-api/access';
import type { PositionText } from '@ptn-api/positions';
import { monotonicMs } from '@ptn-api/runtime';
import { OrderHeap } from './order-heap.ts';
import type { WaitingPosition } from './order-heap.ts';

/** What one commit holds at most: some 20 ms of work of the thread that also answers the supervisor. */
const BATCH_ORDERS = 512;
/** What is parsed for one batch at most, in characters; a larger position comes alone. */
const BATCH_WORK = 2_000_000;
/** A position of so many characters is taken apart while the orders of others go on. */
const LARGE_POSITION = 1_000_000;
/**
 * What the messages of one miner's orders may hold while others place orders, in characters: what comes faster is read
 * by every client before the orders of others that follow. All miners together may place 43 orders a second, of 45 KB at most.
 */
const MINER_BUDGET = { perSecond: 2_000_000, atOnce: 4_000_000 };
/** Others place orders while one came within this time that was placed within a minute: not those of a catch-up. */
const ACTIVE_MS = 60_000;
const RECENT_MS = 60_000;

/** An order that is next to be numbered. */
export interface DueOrder {
  readonly orderUuid: string;
  readonly index: number;
  readonly waiting: WaitingPosition;
}

/**
 * Orders that wait to be numbered, in the order in which they were placed. A miner whose messages are more than its
 * share is postponed while others place orders: its orders follow as fast as its budget grows.
 */
export class OrderBacklog {
  readonly #log: Logger;
  readonly #activeMs: number;
  readonly #positions = new Map<string, WaitingPosition[]>();
  readonly #heap = new OrderHeap();
  readonly #budgets = new Budgets(MINER_BUDGET);
  readonly #postponed = new Map<string, OrderHeap>();
  readonly #unprepared = new Set<WaitingPosition>();
  readonly #warned = new Set<string>();
  /** Who came last, and when (monotonic ms) it and any other did. */
  #latest = { hotkey: '', atMs: -Infinity, othersAtMs: -Infinity };
  #inBatch = new Set<string>();
  #waiting = 0;
  #ranks = 0;

  /** @param activeMs for how long after an order of others a miner keeps to its budget */
  constructor(log: Logger, activeMs = ACTIVE_MS) {
    this.#log = log;
    this.#activeMs = activeMs;
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
   *
   * @param nowMs Unix ms
   */
  add(hotkey: string, position: PositionText, indexes: readonly number[], nowMs: number): void {
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
      isPrepared: false,
      parts: new Map(),
    };
    const earlier = this.#positions.get(keyOf(hotkey, position)) ?? [];
    const added = new Set(indexes.map((index) => orderUuids[index] ?? ''));
    for (const waiting of earlier) this.#withdraw(waiting, added);
    const left = earlier.filter(({ indexes: { length }, done }) => done < length);
    this.#positions.set(keyOf(hotkey, position), [...left, item]);
    this.#waiting += indexes.length;
    if ((orderTimesMs[sorted.at(-1) ?? 0] ?? 0) >= nowMs - RECENT_MS) this.#noteActive(hotkey);
    (this.#postponed.get(hotkey) ?? this.#heap).push(item);
  }

  /** The orders to number next; none while all are postponed or unprepared. They wait until they are {@link stored}. */
  batch(): DueOrder[] {
    this.#readmit();
    const due: DueOrder[] = [];
    let work = 0;
    const parsed = new Set<WaitingPosition>();
    while (due.length < BATCH_ORDERS && work < BATCH_WORK) {
      const waiting = this.#heap.pop();
      if (waiting === undefined) break;
      const { hotkey, position } = waiting;
      if (this.#isOverBudget(hotkey)) {
        this.#postpone(waiting);
        continue;
      }
      const index = waiting.indexes[waiting.done] ?? 0;
      if (!waiting.isPrepared && !waiting.parts.has(index) && position.text.length >= LARGE_POSITION) {
        this.#unprepared.add(waiting);
        continue;
      }
      waiting.isPrepared = false;
      waiting.done += 1;
      this.#waiting -= 1;
      if (!waiting.parts.has(index) && !parsed.has(waiting)) work += position.text.length;
      parsed.add(waiting);
      const { orderUuids } = position.facts;
      this.#budgets.spend(hotkey, (position.text.length * (index + 1)) / orderUuids.length);
      due.push({ orderUuid: orderUuids[index] ?? '', index, waiting });
      if (waiting.done < waiting.indexes.length) this.#heap.push(waiting);
      else this.#forget(waiting);
    }
    this.#inBatch = new Set(due.map(({ orderUuid }) => orderUuid));
    return due;
  }

  /** A large position that is to be taken apart for its next order, and is then {@link prepared}. */
  nextUnprepared(): WaitingPosition | undefined {
    for (const waiting of this.#unprepared) {
      if (waiting.done < waiting.indexes.length) return waiting;
      // A later reading holds what it had.
      this.#unprepared.delete(waiting);
    }
    return undefined;
  }

  /** Its next order may be numbered. */
  prepared(waiting: WaitingPosition): void {
    this.#unprepared.delete(waiting);
    waiting.isPrepared = true;
    (this.#postponed.get(waiting.hotkey) ?? this.#heap).push(waiting);
  }

  /** For how many ms all are postponed, unless others come or are prepared; Infinity when none is postponed. */
  waitMs(): number {
    return Math.min(...[...this.#postponed.keys()].map((hotkey) => this.#postponedMs(hotkey)));
  }

  /** The batch is stored. */
  stored(): void {
    this.#inBatch.clear();
    if (this.#waiting > 0) return;
    this.#postponed.clear();
    this.#unprepared.clear();
    this.#positions.clear();
    this.#budgets.forgetWhole();
  }

  #noteActive(hotkey: string): void {
    const { hotkey: last, atMs, othersAtMs } = this.#latest;
    this.#latest = { hotkey, atMs: monotonicMs(), othersAtMs: hotkey === last ? othersAtMs : atMs };
  }

  /** For how many ms the miner's orders are postponed; 0 where they are not. */
  #postponedMs(hotkey: string): number {
    const { hotkey: last, atMs, othersAtMs } = this.#latest;
    const activeMs = (hotkey === last ? othersAtMs : atMs) + this.#activeMs - monotonicMs();
    return Math.max(0, Math.min(this.#budgets.waitMs(hotkey), activeMs));
  }

  #isOverBudget(hotkey: string): boolean {
    return this.#postponed.has(hotkey) || this.#postponedMs(hotkey) > 0;
  }

  /** Takes up the miners that may go on. */
  #readmit(): void {
    for (const [hotkey, heap] of this.#postponed) {
      if (this.#postponedMs(hotkey) > 0) continue;
      this.#postponed.delete(hotkey);
      for (let waiting = heap.pop(); waiting !== undefined; waiting = heap.pop()) this.#heap.push(waiting);
    }
  }

  #postpone(waiting: WaitingPosition): void {
    const { hotkey } = waiting;
    let heap = this.#postponed.get(hotkey);
    if (heap === undefined) {
      heap = new OrderHeap();
      this.#postponed.set(hotkey, heap);
    }
    heap.push(waiting);
    if (this.#warned.has(hotkey)) return;
    this.#warned.add(hotkey);
    this.#log.warn(
      { event: 'miner-postponed', hotkey, waiting: this.#waiting },
      'the orders of a miner are larger than its share: they are streamed after the orders of other miners',
    );
  }

  /** The orders that a later reading holds, too, are taken from it. */
  #withdraw(waiting: WaitingPosition, uuids: ReadonlySet<string>): void {
    const { position, indexes, done } = waiting;
    const left = indexes.slice(done).filter((index) => !uuids.has(position.facts.orderUuids[index] ?? ''));
    this.#waiting += left.length - (indexes.length - done);
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
