import type { Logger } from 'pino';
import type { PositionParts } from '@ptn-api/order-log';
import { splitPositions, splitWithoutStates, splitWork } from '../tasks/split-positions.ts';
import type { PositionToSplit, SplitPosition } from '../tasks/split-positions.ts';
import type { DueOrder } from './order-backlog.ts';
import type { WaitingPosition } from './order-heap.ts';

/** Less than this, in characters to parse, is done at once: a thread would take longer to be asked. */
const INLINE_WORK = 64 * 1024;
/** What one task does at most; a larger position is a task of its own. */
const TASK_WORK = 4_000_000;
/** Orders of one position in one task: as many as keep the accounting within a task's work, within these limits. */
const MIN_SLICE_ORDERS = 16;
const MAX_SLICE_ORDERS = 256;
/** What is kept for orders that are not numbered yet. What is dropped is split again. */
const KEPT_BYTES = 128 * 2 ** 20;

export type SplitTask = (input: {
  positions: readonly PositionToSplit[];
}) => Promise<SplitPosition[]> | SplitPosition[];

export interface OrderSplitterOptions {
  readonly log: Logger;
  /** Runs the task in a thread. */
  readonly split?: SplitTask | undefined;
}

/** Finds out what the messages of orders are made of, with each position parsed once for many of its orders. */
export class OrderSplitter {
  readonly #options: OrderSplitterOptions;
  /** Positions with parts of orders that are still to come, the oldest first, and the bytes of these. */
  readonly #kept = new Map<WaitingPosition, number>();
  #keptBytes = 0;

  constructor(options: OrderSplitterOptions) {
    this.#options = options;
  }

  /** Resolves with what each of the orders is streamed with. */
  async split(due: readonly DueOrder[]): Promise<PositionParts[]> {
    const found = new Map<DueOrder, PositionParts>();
    let missing = due;
    while (missing.length > 0) {
      const wanted = new Set<WaitingPosition>();
      for (const order of missing) {
        const parts = order.waiting.parts.get(order.index);
        if (parts === undefined) wanted.add(order.waiting);
        else found.set(order, parts);
      }
      for (const order of found.keys()) order.waiting.parts.delete(order.index);
      missing = missing.filter((order) => !found.has(order));
      const firsts = new Map(missing.toReversed().map(({ waiting, index }) => [waiting, index]));
      const tasks = [...wanted].map((waiting): Task => [waiting, sliceOf(waiting, firsts.get(waiting))]);
      for (const group of grouped(tasks)) await this.#splitGroup(group);
    }
    this.#dropBeyond();
    return due.map((order) => found.get(order) as PositionParts);
  }

  /** Takes a position apart for its next orders, so that their `split` need not. */
  async prepare(waiting: WaitingPosition): Promise<void> {
    await this.#splitGroup([[waiting, sliceOf(waiting, waiting.indexes[waiting.done])]]);
  }

  async #splitGroup(tasks: readonly Task[]): Promise<void> {
    const split = await this.#run(tasks.map(([, position]) => position));
    for (const [index, [waiting, position]] of tasks.entries())
      this.#keep(waiting, position, split[index] as SplitPosition);
  }

  /** Answers for each of the positions, in their order. */
  async #run(positions: readonly PositionToSplit[]): Promise<SplitPosition[]> {
    const work = positions.reduce((sum, position) => sum + splitWork(position), 0);
    const split = work <= INLINE_WORK ? splitPositions : (this.#options.split ?? splitPositions);
    try {
      return await split({ positions });
    } catch {
      // A thread that died takes sound positions with it: once more, each by itself.
    }
    const results: SplitPosition[] = [];
    for (const position of positions) {
      try {
        results.push(...(await split({ positions: [position] })));
      } catch (error) {
        this.#options.log.error(
          { event: 'order-split-failed', err: error, position: position.positionUuid },
          'a position could not be taken apart: messages hold its orders, and null for its state after all but the last',
        );
        results.push(splitWithoutStates(position));
      }
    }
    return results;
  }

  #keep(waiting: WaitingPosition, position: PositionToSplit, { parts: split, reason }: SplitPosition): void {
    const { log } = this.#options;
    if (reason !== null) {
      log.warn(
        { event: 'order-not-rebuilt', position: position.positionUuid, reason },
        'a position cannot be rebuilt as of one of its orders: the message holds its orders, and null for its state',
      );
    }
    let head = '';
    let sizeBytes = split[0]?.list.byteLength ?? 0;
    position.indexes.forEach((index, at) => {
      const parts = split[at] as PositionParts;
      // Of one position all are the same: one string in memory.
      if (parts.head !== head) ({ head } = parts);
      sizeBytes += parts.tail.length;
      waiting.parts.set(index, { ...parts, head });
    });
    this.#keptBytes += sizeBytes - (this.#kept.get(waiting) ?? 0);
    this.#kept.set(waiting, sizeBytes);
  }

  #dropBeyond(): void {
    for (const [waiting, sizeBytes] of this.#kept) {
      if (waiting.parts.size > 0 && this.#keptBytes <= KEPT_BYTES) continue;
      waiting.parts.clear();
      this.#kept.delete(waiting);
      this.#keptBytes -= sizeBytes;
    }
  }
}

/** The orders of a position that are split next: those from `first` on, as many as one task may do. */
function sliceOf({ position, indexes }: WaitingPosition, first: number | undefined): PositionToSplit {
  const { positionUuid, generation, orderUuids } = position.facts;
  const orderCount = orderUuids.length;
  const most = Math.min(Math.max(Math.floor(500_000 / orderCount), MIN_SLICE_ORDERS), MAX_SLICE_ORDERS);
  const from = first === undefined ? 0 : indexes.indexOf(first);
  return {
    positionUuid,
    text: position.text,
    generation,
    orderCount,
    indexes: from === -1 ? [first ?? 0] : indexes.slice(from, from + most),
  };
}

type Task = readonly [WaitingPosition, PositionToSplit];

/** Small positions share a task. */
function grouped(all: readonly Task[]): Task[][] {
  const groups: Task[][] = [];
  let work = Infinity;
  for (const task of all) {
    const own = splitWork(task[1]);
    if (work + own > TASK_WORK) {
      groups.push([]);
      work = 0;
    }
    groups.at(-1)?.push(task);
    work += own;
  }
  return groups;
}
