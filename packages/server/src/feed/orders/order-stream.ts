import { cutPosition } from '@ptn-api/core';
import type { PositionFacts } from '@ptn-api/core';
import type { Logger } from 'pino';
import type { OrderEvent, OrderLogState, OrderLogWriter } from '../../order-log/order-log.ts';

/** An order that was placed this long ago at most is streamed whenever it is first seen. */
export const ALWAYS_NEW_MS = 10 * 60_000;
/** How often it is noted that this process runs: after a crash, orders placed since then count as new. */
const ALIVE_EVERY_MS = 1000;
/** How often messages beyond the retention are removed. */
const PRUNE_EVERY_MS = 60_000;
/** An order that could not be written (a full disk, say) is tried again after so long; nothing is sent meanwhile. */
const RETRY_MS = 1000;
/** What the log takes as the name of an order. The validator's are 36 characters. */
const ORDER_UUID_LIMIT_BYTES = 1000;

/** A position as it was read. */
export interface SeenPosition {
  readonly text: string;
  readonly facts: PositionFacts;
}

export interface OrderStreamOptions {
  readonly writer: OrderLogWriter;
  readonly log: Logger;
  readonly retention: { readonly maxAgeMs: number; readonly maxCount: number };
  /** Told the state of the log after every change. */
  readonly onState: (state: OrderLogState) => Promise<void>;
  readonly now?: () => number;
}

interface TimedEvent extends OrderEvent {
  readonly processedMs: number;
}

/**
 * Finds the orders that have not been streamed yet in the positions that are read, and has them numbered and stored,
 * in the order in which they were placed.
 *
 * An order is told by its uuid. One that was seen before is no event, however often its position is rewritten, deleted
 * and written again. One that was not is streamed if it was placed after the last time a feed was known to run, or
 * within the last 10 minutes; an older one belongs to a history that was restored. In a new log everything that is
 * there at the start is history.
 */
export class OrderStream {
  readonly #options: OrderStreamOptions;
  readonly #now: () => number;
  readonly #sinceMs: number;
  readonly #pending = new Map<string, TimedEvent>();
  readonly #history: string[] = [];
  #isStarting = true;
  #storing: Promise<void> | null = null;
  readonly #warned = new Set<string>();
  #timers: NodeJS.Timeout[] = [];
  #isClosed = false;

  constructor(options: OrderStreamOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#sinceMs = options.writer.lastAliveMs ?? this.#now();
  }

  /** Orders placed before (Unix ms) are not looked for: nobody would be told of them. */
  get horizonMs(): number {
    return Math.min(this.#sinceMs, this.#now() - ALWAYS_NEW_MS);
  }

  /** Up to where the log is written. */
  state(): OrderLogState {
    return this.#options.writer.state();
  }

  /** Takes note of the new orders of a position. They are stored at the next {@link store}. */
  see(hotkey: string, { text, facts }: SeenPosition): void {
    const { writer } = this.#options;
    const horizonMs = this.horizonMs;
    for (const [index, processedMs] of facts.orderTimesMs.entries()) {
      const orderUuid = facts.orderUuids[index];
      if (orderUuid === undefined || processedMs < horizonMs) continue;
      if (orderUuid === '' || Buffer.byteLength(orderUuid) > ORDER_UUID_LIMIT_BYTES) {
        this.#warnOnce(facts.positionUuid, 'an order without a usable order_uuid cannot be streamed');
        continue;
      }
      if (writer.isKnown(orderUuid) || this.#pending.has(orderUuid)) continue;
      if (this.#isStarting && writer.isNew) {
        this.#history.push(orderUuid);
        continue;
      }
      this.#pending.set(orderUuid, {
        orderUuid,
        hotkey,
        tradePairId: facts.tradePairId,
        timestampMs: this.#now(),
        position: this.#asOf(text, facts, index),
        processedMs,
      });
    }
  }

  /** Everything that was there at the start has been seen: what comes from now on is new. */
  async begin(): Promise<void> {
    const { writer, onState } = this.#options;
    await writer.remember(this.#history.splice(0));
    this.#isStarting = false;
    await this.store();
    await writer.markAlive(this.#now());
    await onState(writer.state());
    this.#timers = [
      setInterval(() => {
        // Not while something waits to be stored: after a crash it has to count as new.
        if (this.#pending.size === 0) this.#attempt(writer.markAlive(this.#now()));
      }, ALIVE_EVERY_MS),
      setInterval(() => {
        this.#attempt(this.#prune());
      }, PRUNE_EVERY_MS),
    ];
  }

  /** Stores what has been seen. Resolves when it is on disk and was told; while starting, it only gathers. */
  store(): Promise<void> {
    if (this.#isStarting || this.#pending.size === 0) return this.#storing ?? Promise.resolve();
    this.#storing ??= this.#storeAll().finally(() => {
      this.#storing = null;
    });
    return this.#storing;
  }

  /** Makes one more attempt at what waits to be stored, and closes the log. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const last = this.store();
    this.#isClosed = true;
    await last;
    await this.#options.writer.close();
  }

  async #storeAll(): Promise<void> {
    const { writer, log, onState } = this.#options;
    while (this.#pending.size > 0 && !this.#isClosed) {
      const events = [...this.#pending.values()].sort((a, b) => a.processedMs - b.processedMs);
      try {
        const state = await writer.append(events);
        for (const { orderUuid } of events) this.#pending.delete(orderUuid);
        await onState(state);
      } catch (error) {
        log.error(
          { event: 'order-log-write-failed', err: error, waiting: this.#pending.size },
          'orders could not be stored and are not sent until they are: is there room on the disk of the state directory?',
        );
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #prune(): Promise<void> {
    const { writer, retention, onState } = this.#options;
    const before = writer.state();
    const after = await writer.prune(this.#now(), retention);
    if (after.oldest !== before.oldest) await onState(after);
  }

  #warnOnce(positionUuid: string, text: string): void {
    if (this.#warned.has(positionUuid)) return;
    this.#warned.add(positionUuid);
    this.#options.log.warn({ event: 'order-not-streamed', position: positionUuid }, text);
  }

  #attempt(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#options.log.error(
        { event: 'order-log-write-failed', err: error },
        'the order log could not be written',
      );
    });
  }

  /** The position as it stood after one of its orders. */
  #asOf(text: string, facts: PositionFacts, index: number): string {
    if (index === facts.orderTimesMs.length - 1) return text;
    const cut = facts.generation === 'quantity' ? null : cutPosition(text, (order) => order <= index);
    if (cut?.ok === true) return cut.text;
    this.#options.log.warn(
      {
        event: 'order-not-rebuilt',
        position: facts.positionUuid,
        reason: cut?.reason ?? 'record of a newer form',
      },
      'a position cannot be rebuilt as of one of its orders: it is streamed as it stands now',
    );
    return text;
  }
}
