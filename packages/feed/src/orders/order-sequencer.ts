import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { OrderEvent, OrderLogState, OrderLogWriter, OrderRetention } from '@ptn-api/order-log';
import type { PositionText } from '@ptn-api/positions';
import { LogUpkeep } from './log-upkeep.ts';
import { OrderBacklog } from './order-backlog.ts';
import type { DueOrder } from './order-backlog.ts';
import { OrderSplitter } from './order-splitter.ts';
import type { SplitTask } from './order-splitter.ts';
import { FOUND_WITHIN_MS, MissingOrders } from './missing-orders.ts';

/** An order that was placed this long ago at most is streamed whenever it is first seen. */
const ALWAYS_NEW_MS = 10 * 60_000;
/** An order may have been placed this long before a feed had read it: a miner whose files are large waits for its turn. */
const READ_WITHIN_MS = 60_000;
/** How often it is checked whether an order has been missing in the files for too long. */
const GIVE_UP_EVERY_MS = 1000;
/** An order that could not be written (a full disk, say) is tried again after so long; nothing is sent meanwhile. */
const RETRY_MS = 1000;
/** A pause ends by then, whatever it waits for. */
const MAX_PAUSE_MS = 60_000;
/** How long a start waits for the orders that were placed while nobody was there. */
const BEGIN_WITHIN_MS = 2000;
/** Whose orders the validator streams to nobody: operators try the network with it. */
const UNSTREAMED_HOTKEY = 'DEVELOPMENT';
/** What the log takes as the name of an order, a miner or a trade pair. The validator's are at most 48 characters. */
const NAME_LIMIT_BYTES = 1000;

function isUsableName(name: string): boolean {
  return name !== '' && Buffer.byteLength(name) <= NAME_LIMIT_BYTES;
}

export interface OrderSequencerOptions {
  readonly writer: OrderLogWriter;
  readonly log: Logger;
  readonly retention: OrderRetention;
  /** Takes positions apart in a thread; by default in this one. */
  readonly split?: SplitTask;
  /** Called with the state of the log after every change. */
  readonly onState: (state: OrderLogState) => Promise<void>;
  /** After every attempt to store orders. */
  readonly onWrite?: (isStored: boolean) => void;
  readonly now?: () => number;
  /** For how long after an order of others a miner keeps to its budget; by default a minute. */
  readonly activeMs?: number;
}

/**
 * Finds the orders that have not been streamed yet in the positions that are read, and has them numbered and stored,
 * in the order in which they were placed.
 *
 * An order is identified by its uuid. One that was observed before is no event, however often its position is rewritten, deleted
 * and written again. One that was not is streamed if it was placed after the last time a feed was known to run, or within the
 * minute before, or within the last 10 minutes; an older one belongs to a history that was restored. In a new log everything that is
 * there at the start is history.
 */
export class OrderSequencer {
  readonly #options: OrderSequencerOptions;
  readonly #now: () => number;
  readonly #sinceMs: number;
  readonly #backlog: OrderBacklog;
  readonly #splitter: OrderSplitter;
  readonly #history: string[] = [];
  readonly #missing: MissingOrders;
  #isStarting = true;
  #endPause: () => void = () => undefined;
  #preparing: Promise<void> | null = null;
  #storing: Promise<void> | null = null;
  readonly #warned = new Set<string>();
  readonly #upkeep: LogUpkeep;
  #giveUpTimer: NodeJS.Timeout | null = null;
  #isFinished = false;

  constructor(options: OrderSequencerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const { writer, log } = options;
    this.#backlog = new OrderBacklog(log, options.activeMs);
    this.#splitter = new OrderSplitter({ log, split: options.split });
    this.#sinceMs = (writer.lastAliveMs ?? this.#now()) - READ_WITHIN_MS;
    // All of them until they are seen, which those that can be read are before this begins.
    this.#missing = new MissingOrders(writer.ordersSince(this.#now() - FOUND_WITHIN_MS), log);
    this.#upkeep = new LogUpkeep({
      ...options,
      now: this.#now,
      // After a crash what waits to be stored has to count as new.
      isAllStored: () => this.#backlog.size === 0,
    });
  }

  /** Orders placed before (Unix ms) are not searched for: no client would get them. */
  get horizonMs(): number {
    return Math.min(this.#sinceMs, this.#now() - ALWAYS_NEW_MS);
  }

  /** Up to where the log is written. */
  state(): OrderLogState {
    return this.#options.writer.state();
  }

  /** Up to where every order of the log is in the files as they were read. */
  completeTo(): OrderLogState {
    const state = this.state();
    return { ...state, last: this.#missing.completeTo(state.last) };
  }

  /** Takes note of the orders of a position that are not known. They are stored at the next {@link store}. */
  observe(hotkey: string, position: PositionText): void {
    if (hotkey === UNSTREAMED_HOTKEY) return;
    const { writer } = this.#options;
    const { facts } = position;
    const sinceMs = this.horizonMs;
    const indexes: number[] = [];
    const uuids = new Set<string>();
    for (const [index, processedMs] of facts.orderTimesMs.entries()) {
      const orderUuid = facts.orderUuids[index];
      if (orderUuid === undefined || processedMs < sinceMs) continue;
      if (!isUsableName(orderUuid) || !isUsableName(facts.tradePairId)) {
        this.#warnOnce(facts.positionUuid);
        continue;
      }
      if (uuids.has(orderUuid) || this.#backlog.isInBatch(orderUuid) || writer.isKnown(orderUuid)) continue;
      uuids.add(orderUuid);
      if (this.#isStarting && writer.isNew) this.#history.push(orderUuid);
      else indexes.push(index);
    }
    this.#backlog.add(hotkey, position, indexes, this.#now());
    if (indexes.length > 0) this.#endPause();
    this.#missing.found(facts.orderUuids);
  }

  /**
   * Everything that was there at the start has been seen: what comes from now on is new. May be called again when it
   * failed.
   */
  async begin(): Promise<void> {
    const { writer, onState } = this.#options;
    await writer.remember(this.#history);
    this.#history.length = 0;
    this.#isStarting = false;
    // A backlog of hours is numbered after the start, which waits for none but a short one.
    const isWaitOver = new AbortController();
    await Promise.race([this.store(), sleep(BEGIN_WITHIN_MS, null, { signal: isWaitOver.signal })]);
    isWaitOver.abort();
    if (this.#backlog.size === 0) await writer.markAlive(this.#now());
    await onState(writer.state());
    this.#upkeep.start();
    this.#giveUpTimer ??= setInterval(() => {
      this.#missing.giveUp(this.#now());
    }, GIVE_UP_EVERY_MS);
  }

  /** Stores what has been observed. Resolves when it is on disk and published; while starting, it only gathers. */
  store(): Promise<void> {
    const hasWork = this.#backlog.size > 0 && !this.#isStarting && !this.#isFinished;
    if (!hasWork) return this.#storing ?? Promise.resolve();
    this.#storing ??= this.#storeAll().finally(() => {
      this.#storing = null;
    });
    return this.#storing;
  }

  /**
   * Makes one more attempt at what waits to be stored, once the position is taken apart that is at it. Afterwards nothing is
   * stored any more.
   */
  async finish(): Promise<void> {
    this.#upkeep.stop();
    if (this.#giveUpTimer !== null) clearInterval(this.#giveUpTimer);
    await this.#preparing;
    const last = this.store();
    this.#isFinished = true;
    this.#endPause();
    await last;
  }

  /** Finishes, and closes the log. */
  async close(): Promise<void> {
    await this.finish();
    await this.#options.writer.close();
  }

  async #storeAll(): Promise<void> {
    while (this.#backlog.size > 0) {
      const due = this.#backlog.batch();
      if (!this.#isFinished) this.#prepare();
      if (due.length === 0) {
        if (this.#isFinished) return;
        await this.#pause(this.#backlog.waitMs());
        continue;
      }
      const positions = await this.#splitter.split(due);
      const timestampMs = this.#now();
      const events = due.map((order, index) => eventOf(order, timestampMs, positions[index] ?? ''));
      await this.#append(events);
      if (this.#isFinished) return;
      // Other work of this thread goes between two batches.
      await setImmediate();
    }
  }

  /** Takes large positions apart, one at a time, while the orders of others are stored. */
  #prepare(): void {
    const waiting = this.#backlog.nextUnprepared();
    if (waiting === undefined || this.#preparing !== null) return;
    this.#preparing = this.#splitter.prepare(waiting).then(() => {
      this.#preparing = null;
      this.#backlog.prepared(waiting);
      this.#endPause();
    });
  }

  /** Until the first postponed orders may follow, a large position is prepared, or others come. */
  async #pause(ms: number): Promise<void> {
    const isOver = new AbortController();
    const ended = new Promise<void>((resolve) => (this.#endPause = resolve));
    await Promise.race([sleep(Math.min(ms, MAX_PAUSE_MS), null, { signal: isOver.signal }), ended]);
    isOver.abort();
  }

  /** Tries until the events are stored, or nothing is to be stored any more. */
  async #append(events: readonly OrderEvent[]): Promise<void> {
    const { writer, log, onState, onWrite } = this.#options;
    do {
      try {
        const state = await writer.append(events);
        this.#backlog.stored();
        onWrite?.(true);
        await onState(state);
        return;
      } catch (error) {
        onWrite?.(false);
        log.error(
          { event: 'order-log-write-failed', err: error, waiting: this.#backlog.size },
          'orders could not be stored and are not sent until they are: is there room on the disk of the state directory?',
        );
        await sleep(RETRY_MS);
      }
    } while (!this.#isFinished);
  }

  #warnOnce(positionUuid: string): void {
    if (this.#warned.has(positionUuid)) return;
    this.#warned.add(positionUuid);
    this.#options.log.warn(
      { event: 'order-not-streamed', position: positionUuid },
      'an order without a usable order_uuid or trade pair cannot be streamed',
    );
  }
}

function eventOf(
  { orderUuid, waiting: { hotkey, position } }: DueOrder,
  timestampMs: number,
  parts: OrderEvent['position'],
): OrderEvent {
  return { orderUuid, hotkey, tradePairId: position.facts.tradePairId, timestampMs, position: parts };
}
