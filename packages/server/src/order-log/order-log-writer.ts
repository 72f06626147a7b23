import { setImmediate } from 'node:timers/promises';
import type { Environment } from './environment.ts';
import { readMeta } from './environment.ts';
import { OrderLogDamagedError, OrderLogWriteError } from './errors.ts';
import { writeHighWater } from './high-water.ts';
import type { HighWater } from './high-water.ts';
import type { LoggedOrder, OrderEvent, OrderLogState, OrderLogWriter } from './order-log.ts';
import {
  decodeLoggedOrder,
  decodeMessage,
  decodeOrder,
  encodeMessage,
  encodeMeta,
  encodeOrder,
  messageKey,
  META_KEY,
  orderKey,
} from './records.ts';
import type { LogMeta } from './records.ts';

/** Entries per commit where a call need not be all or none: between commits the process does its other work. */
const CHUNK = 5_000;

export interface OpenedLog {
  readonly path: string;
  readonly environment: Environment;
  readonly meta: LogMeta;
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
  readonly #environment: Environment;
  readonly #releaseLock: () => void;
  #meta: LogMeta;
  /** Whether a commit failed and what the disk holds since could not be read. */
  #isMetaUnknown = false;
  #highWater: HighWater;

  constructor({ path, environment, meta, highWater, isNew, releaseLock }: OpenedLog) {
    this.#path = path;
    this.#environment = environment;
    this.#meta = meta;
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

  sequenceOf(orderUuid: string): number | undefined {
    const key = orderKey(orderUuid);
    const value = this.#environment.getBinary(key);
    return value === undefined ? undefined : decodeOrder(key, value);
  }

  ordersSince(sinceMs: number): LoggedOrder[] {
    const { oldest, last } = this.#meta;
    const found: LoggedOrder[] = [];
    for (let sequence = last; sequence >= oldest; sequence--) {
      const order = decodeLoggedOrder(sequence, this.#environment.getBinary(messageKey(sequence)));
      if (order.timestampMs < sinceMs) break;
      found.push(order);
    }
    return found;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- so that errors are rejections
  async append(events: readonly OrderEvent[]): Promise<OrderLogState> {
    this.#reserve(this.#meta.last + events.length);
    this.#commit((meta) => {
      let { last } = meta;
      for (const event of events) {
        // Sees what this transaction has put: an order that is there twice is streamed once.
        if (this.isKnown(event.orderUuid)) continue;
        last++;
        const key = orderKey(event.orderUuid);
        this.#environment.putSync(key, encodeOrder(key, last));
        this.#environment.putSync(messageKey(last), encodeMessage(last, event));
      }
      return { ...meta, last };
    });
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
    await this.prune(Date.now(), { maxAgeMs: Infinity, maxCount: 0 });
    this.#commit((meta) => ({ ...meta, oldest: sequence + 1, last: sequence }));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- so that errors are rejections
  async markAlive(nowMs: number): Promise<void> {
    this.#commit((meta) => ({ ...meta, lastAliveMs: nowMs }));
  }

  async prune(
    nowMs: number,
    { maxAgeMs, maxCount }: { readonly maxAgeMs: number; readonly maxCount: number },
  ): Promise<OrderLogState> {
    // Readers that were killed would hold on to the pages that this frees.
    this.#environment.readerCheck();
    while (this.#isOldestBeyond(nowMs - maxAgeMs, maxCount)) {
      this.#commit((meta) => {
        let { oldest } = meta;
        for (let removed = 0; removed < CHUNK; removed++, oldest++) {
          if (!this.#isBeyond(oldest, nowMs - maxAgeMs, maxCount)) break;
          this.#environment.removeSync(messageKey(oldest));
        }
        return { ...meta, oldest };
      });
      await setImmediate();
    }
    return this.state();
  }

  async close(): Promise<void> {
    await this.#environment.close();
    this.#releaseLock();
  }

  #isOldestBeyond(minTimestampMs: number, maxCount: number): boolean {
    return this.#isBeyond(this.#meta.oldest, minTimestampMs, maxCount);
  }

  #isBeyond(sequence: number, minTimestampMs: number, maxCount: number): boolean {
    const { last } = this.#meta;
    if (sequence > last) return false;
    if (last - sequence + 1 > maxCount) return true;
    const message = decodeMessage(sequence, this.#environment.getBinary(messageKey(sequence)));
    return message.timestampMs < minTimestampMs;
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
    let changed: LogMeta | undefined;
    try {
      if (this.#isMetaUnknown) this.#readMeta();
      this.#environment.transactionSync(() => {
        changed = change(this.#meta);
        this.#environment.putSync(META_KEY, encodeMeta(changed));
      });
    } catch (error) {
      if (error instanceof RangeError || error instanceof OrderLogDamagedError) throw error;
      // What counts is what the disk says, should the commit have failed after its last write.
      this.#isMetaUnknown = true;
      try {
        this.#readMeta();
      } catch {
        // The next commit reads it first. What is told is why the write failed.
      }
      throw new OrderLogWriteError(this.#path, error);
    }
    if (changed) this.#meta = changed;
  }

  #readMeta(): void {
    this.#meta = readMeta(this.#environment, this.#path) ?? this.#meta;
    this.#isMetaUnknown = false;
  }
}
