import { setImmediate } from 'node:timers/promises';
import type { Environment, OpenedLog } from './environment.ts';
import { readMeta } from './environment.ts';
import { OrderLogDamagedError, OrderLogWriteError } from './errors.ts';
import { writeHighWater } from './high-water.ts';
import type { HighWater } from './high-water.ts';
import { encodeBlock, endOf, grown, isFull, readBlocks, shortened, StoredLists } from './blocks.ts';
import type { Block, BlockLimits } from './blocks.ts';
import { encodeDelta } from './deltas.ts';
import { loggedOrder, recordOf } from './logged-orders.ts';
import type { LoggedOrder, OrderEvent, OrderLogState, OrderLogWriter, OrderRetention } from './order-log.ts';
import {
  blockKey,
  deltaKey,
  encodeMeta,
  encodeOrder,
  messageKey,
  META_KEY,
  orderKey,
  timestampOf,
} from './records.ts';
import type { LogMeta } from './records.ts';

/** Entries per commit where a call need not be all or none: between commits the process does its other work. */
const CHUNK = 5_000;

export interface LogToWrite {
  readonly path: string;
  readonly opened: OpenedLog;
  readonly meta: LogMeta;
  /** The oldest first. */
  readonly blocks: readonly Block[];
  readonly blockLimits: BlockLimits;
  readonly highWater: HighWater;
  readonly isNew: boolean;
  readonly releaseLock: () => void;
}

/**
 * Commits synchronously: the write is on disk when a method's promise is made, and an error of the disk is the error of
 * that call and of no other.
 */
export class LmdbOrderLogWriter implements OrderLogWriter {
  readonly isNew: boolean;
  readonly lastAliveMs: number | null;
  readonly #path: string;
  readonly #opened: OpenedLog;
  readonly #environment: Environment;
  readonly #releaseLock: () => void;
  #meta: LogMeta;
  readonly #limits: BlockLimits;
  #blocks: readonly Block[];
  /** Of the last block; `null` where the next order begins a new one, as the first after an opening does. */
  #lists: StoredLists | null = null;
  /** Whether a commit failed and what the disk holds since could not be read. */
  #isUnknown = false;
  #highWater: HighWater;

  constructor({ path, opened, meta, blocks, blockLimits, highWater, isNew, releaseLock }: LogToWrite) {
    this.#path = path;
    this.#opened = opened;
    this.#environment = opened.environment;
    this.#meta = meta;
    this.#blocks = blocks;
    this.#limits = blockLimits;
    this.#highWater = highWater;
    this.#releaseLock = releaseLock;
    this.isNew = isNew;
    this.lastAliveMs = meta.lastAliveMs;
  }

  state(): OrderLogState {
    const { epoch, oldest, last } = this.#meta;
    return { epoch, oldest, last };
  }

  isKnown(orderUuid: string): boolean {
    return this.#environment.doesExist(orderKey(orderUuid));
  }

  ordersSince(sinceMs: number): LoggedOrder[] {
    const { oldest, last } = this.#meta;
    const found: LoggedOrder[] = [];
    for (let sequence = last; sequence >= oldest; sequence--) {
      const order = loggedOrder(this.#environment, sequence);
      if (order.timestampMs < sinceMs) break;
      found.push(order);
    }
    return found;
  }

  // oxlint-disable-next-line typescript/require-await -- so that errors are rejections
  async append(events: readonly OrderEvent[]): Promise<OrderLogState> {
    this.#refresh();
    this.#reserve(this.#meta.last + events.length);
    const blocks = [...this.#blocks];
    let lists = this.#lists;
    // A transaction that fails takes back what was written, but not what these remember of it.
    this.#lists = null;
    this.#commit((meta) => {
      let { last } = meta;
      const changed = new Map<number, Block>();
      for (const event of events) {
        // Sees what this transaction has put: an order that is there twice is streamed once.
        if (this.isKnown(event.orderUuid)) continue;
        last++;
        const key = orderKey(event.orderUuid);
        this.#environment.putSync(key, encodeOrder(key, last));
        let block = blocks.at(-1);
        if (lists === null || block === undefined || isFull(block, this.#limits)) {
          lists = new StoredLists();
          block = { start: last, count: 0, bytes: 0, newestMs: 0 };
          blocks.push(block);
        }
        const value = encodeDelta(last, event, lists.next(event.hotkey, event.position, last));
        this.#environment.putSync(deltaKey(last), value);
        block = grown(block, value, event.timestampMs);
        blocks[blocks.length - 1] = block;
        changed.set(block.start, block);
      }
      for (const block of changed.values())
        this.#environment.putSync(blockKey(block.start), encodeBlock(block));
      return { ...meta, last };
    });
    this.#blocks = blocks;
    this.#lists = lists;
    return this.state();
  }

  async remember(orderUuids: readonly string[]): Promise<void> {
    for (let start = 0; start < orderUuids.length; start += CHUNK) {
      if (start > 0) await setImmediate();
      this.#commit((meta) => {
        for (const orderUuid of orderUuids.slice(start, start + CHUNK)) {
          const key = orderKey(orderUuid);
          if (!this.#environment.doesExist(key)) this.#environment.putSync(key, encodeOrder(key, 0));
        }
        return meta;
      });
    }
  }

  /** Goes on numbering after a higher number. The messages that are there go: orders are missing behind them. */
  async continueAfter(sequence: number): Promise<void> {
    this.#reserve(sequence);
    await this.prune(Date.now(), { maxAgeMs: Infinity, maxCount: 0, maxBytes: Infinity });
    this.#commit((meta) => ({ ...meta, oldest: sequence + 1, last: sequence }));
  }

  // oxlint-disable-next-line typescript/require-await -- so that errors are rejections
  async markAlive(nowMs: number): Promise<void> {
    this.#commit((meta) => ({ ...meta, lastAliveMs: nowMs }));
  }

  async prune(nowMs: number, limits: OrderRetention): Promise<OrderLogState> {
    // Readers that were killed would hold on to the pages that this frees.
    this.#environment.readerCheck();
    for (;;) {
      this.#refresh();
      const [first] = this.#blocks;
      if (first === undefined) break;
      const oldest = this.#keptFrom(first, nowMs - limits.maxAgeMs, limits);
      const isOver = oldest > endOf(first);
      if (oldest === this.#meta.oldest && !isOver) break;
      const removed = isOver ? Math.min(first.count, CHUNK) : 0;
      const left = shortened(first, removed);
      this.#commit((meta) => {
        if (removed > 0) this.#remove(first, left);
        return { ...meta, oldest };
      });
      this.#blocks = [...(left.count > 0 ? [left] : []), ...this.#blocks.slice(1)];
      // The next order must not go on from what is being removed.
      if (isOver && this.#blocks.length <= 1) this.#lists = null;
      await setImmediate();
    }
    return this.state();
  }

  async close(): Promise<void> {
    try {
      await this.#opened.close();
    } finally {
      this.#releaseLock();
    }
  }

  /** The first message that stays, of those in the oldest block; the one behind the block where none does. */
  #keptFrom(block: Block, minTimestampMs: number, { maxCount, maxBytes }: OrderRetention): number {
    const { oldest, last } = this.#meta;
    const end = endOf(block);
    const bytes = this.#blocks.reduce((sum, each) => sum + each.bytes, 0);
    const isLastBlock = this.#blocks.length === 1;
    if ((bytes > maxBytes && !isLastBlock) || block.newestMs < minTimestampMs)
      return Math.max(oldest, end + 1);
    let kept = Math.max(oldest, Math.min(last - maxCount + 1, end + 1));
    const checkedTo = Math.min(end, kept + CHUNK);
    while (kept <= checkedTo && timestampOf(recordOf(this.#environment, kept).value) < minTimestampMs) kept++;
    return kept;
  }

  /** Removes the first messages of a block, of which none is read any more. */
  #remove(block: Block, left: Block): void {
    for (let { start: sequence } = block; sequence < left.start; sequence++) {
      this.#environment.removeSync(deltaKey(sequence));
      this.#environment.removeSync(messageKey(sequence));
    }
    this.#environment.removeSync(blockKey(block.start));
    if (left.count > 0) this.#environment.putSync(blockKey(left.start), encodeBlock(left));
  }

  /** A number is set aside beside the log before it is used: a log that is lost must not take it with it. */
  #reserve(last: number): void {
    if (last <= this.#highWater.last) return;
    try {
      this.#highWater = writeHighWater(this.#path, this.#meta.epoch, last);
    } catch (error) {
      throw new OrderLogWriteError(this.#path, error);
    }
  }

  /** One transaction, on disk when this returns; nothing of it if it throws. */
  #commit(change: (meta: LogMeta) => LogMeta): void {
    this.#refresh();
    let changed: LogMeta | undefined;
    try {
      this.#opened.commit(() => {
        changed = change(this.#meta);
        this.#environment.putSync(META_KEY, encodeMeta(changed));
      });
    } catch (error) {
      if (error instanceof RangeError || error instanceof OrderLogDamagedError) throw error;
      // What counts is what the disk says, should the commit have failed after its last write.
      this.#isUnknown = true;
      try {
        this.#refresh();
      } catch {
        // The next call tries it first. What is reported is why the write failed.
      }
      throw new OrderLogWriteError(this.#path, error);
    }
    if (changed) this.#meta = changed;
  }

  /** Reads again what the disk holds, where a commit has left that open. */
  #refresh(): void {
    if (!this.#isUnknown) return;
    try {
      this.#meta = readMeta(this.#environment, this.#path) ?? this.#meta;
      this.#blocks = readBlocks(this.#environment);
    } catch (error) {
      throw new OrderLogWriteError(this.#path, error);
    }
    // The next order begins a block: what these remember may not be what is there.
    this.#lists = null;
    this.#isUnknown = false;
  }
}
