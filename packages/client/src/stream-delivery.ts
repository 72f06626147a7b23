import type { StreamOrder } from '@ptn-api/protocol';
import type { OrdersPage } from './rest-answer.ts';
import { PtnRestError } from './rest-error.ts';
import { wait } from './stream-clock.ts';
import type { ClockOffset, StreamClock } from './stream-clock.ts';
import type { Cursor, CursorStore } from './stream-cursor.ts';
import type { Inbox, InboxItem } from './stream-inbox.ts';
import { isStreamOrder } from './stream-message.ts';
import type { ReceivedOrder, StreamClientOptions, StreamFilter, StreamGap } from './stream-options.ts';

/** Orders asked for over REST at a time; more are refused. */
const PAGE_SIZE = 1000;
const REST_TRIES = 3;
const REST_RETRY_MS = 500;

function gapText({ from, to, reason }: StreamGap): string {
  const which = to < from ? 'orders' : `the orders ${from} to ${to}`;
  return `${which} will not come (${reason}): take a snapshot to know what they did, and give onGap to be notified`;
}

export interface DeliverySettings extends Pick<StreamClientOptions, 'onOrders' | 'onGap' | 'rest'> {
  readonly inbox: Inbox;
  readonly filter: StreamFilter;
  readonly store: CursorStore | undefined;
  /** `null`: before the next order. */
  readonly cursor: Cursor | null;
  readonly clock: StreamClock;
  readonly offset: ClockOffset;
  readonly onFault: (error: Error) => void;
  readonly signal: AbortSignal;
}

/**
 * Hands what was received to the program, one call at a time: drops what it had already, has what was left out read
 * over REST, and moves the cursor on after the program is done.
 */
export class StreamDelivery {
  readonly #settings: DeliverySettings;
  readonly #isFiltered: boolean;
  /** Up to and with what waits in {@link #ready}. */
  #cursor: Cursor | null;
  /**
   * The cursor is the number that was sent at authentication; the live stream begins at the subscription. An order that
   * was placed in between is from before the stream, and not missing.
   */
  #isAtLiveStart = false;
  #ready: ReceivedOrder[] = [];
  #duplicates = 0;

  constructor(settings: DeliverySettings) {
    this.#settings = settings;
    this.#cursor = settings.cursor;
    const { tradePairs, minerHotkeys } = settings.filter;
    this.#isFiltered = tradePairs !== undefined || minerHotkeys !== undefined;
  }

  /** Orders that came again and were dropped. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /**
   * Works until the signal is aborted, and then returns when the program's call is done.
   *
   * @throws what the program's handlers or its cursor store throw; the saved cursor is then before it.
   */
  async run(): Promise<void> {
    const { inbox } = this.#settings;
    while (!this.#isOver()) {
      for (const item of await inbox.take()) {
        if (this.#isOver()) return;
        await this.#work(item);
      }
      await this.#flush();
    }
  }

  #isOver(): boolean {
    return this.#settings.signal.aborted;
  }

  async #work(item: InboxItem): Promise<void> {
    switch (item.kind) {
      case 'order':
        await this.#order(item.message, item.receivedAtMs);
        break;
      case 'gap':
        await this.#expired(item.from, item.to);
        break;
      case 'place':
        await this.#flush();
        if (item.start === 'new-log')
          await this.#report({ from: 1, to: item.cursor.sequence, reason: 'new-log' });
        await this.#moveTo(item.cursor);
        this.#isAtLiveStart = item.start !== 'resumed';
        break;
    }
  }

  async #order(message: StreamOrder, receivedAtMs: number): Promise<void> {
    const last = this.#cursor?.sequence;
    if (last !== undefined) {
      if (message.sequence <= last) {
        this.#duplicates += 1;
        return;
      }
      // Of a filtered stream, what lies between the two numbers does not match: only their chain shows a loss.
      const before = this.#isFiltered ? (message.previous_sequence ?? last) : message.sequence - 1;
      if (before > last && !this.#isAtLiveStart) await this.#missing(last + 1, before);
    }
    this.#accept(message, receivedAtMs);
  }

  #accept(message: StreamOrder, receivedAtMs: number): void {
    const { position } = message.data;
    const order = position.orders.at(-1);
    if (order === undefined) throw new Error('an order message without an order was let in');
    const receivedByServerMs = receivedAtMs + this.#settings.offset.offsetMs;
    this.#ready.push({
      sequence: message.sequence,
      message,
      order,
      position,
      receivedAtMs,
      lagFromQueueMs: Math.round(receivedByServerMs - message.timestamp),
      lagFromOrderMs: Math.round(receivedByServerMs - order.processed_ms),
    });
    this.#cursor = { sequence: message.sequence, epoch: this.#cursor?.epoch ?? null };
    this.#isAtLiveStart = false;
  }

  async #flush(): Promise<void> {
    const orders = this.#ready;
    this.#ready = [];
    if (orders.length === 0 || this.#isOver()) return;
    await this.#settings.onOrders(orders);
    if (this.#cursor !== null) await this.#settings.store?.save(this.#cursor);
  }

  async #moveTo(cursor: Cursor): Promise<void> {
    if (this.#isOver()) return;
    this.#cursor = cursor;
    await this.#settings.store?.save(cursor);
  }

  /** To a program that does not ask for gaps they are faults: nobody is to miss orders without a word. */
  async #report(gap: StreamGap): Promise<void> {
    if (this.#isOver()) return;
    const { onGap, onFault } = this.#settings;
    if (onGap !== undefined) await onGap(gap);
    else onFault(new Error(gapText(gap)));
  }

  async #lost(gap: StreamGap): Promise<void> {
    await this.#flush();
    await this.#report(gap);
    await this.#moveTo({ sequence: gap.to, epoch: this.#cursor?.epoch ?? null });
  }

  async #expired(from: number, to: number): Promise<void> {
    const next = this.#cursor === null ? from : this.#cursor.sequence + 1;
    if (to >= next) await this.#lost({ from: next, to, reason: 'expired' });
  }

  /** Orders that the stream left out: over REST as far as they are there, else reported as a gap. */
  async #missing(from: number, to: number): Promise<void> {
    await this.#flush();
    let next = from;
    while (next <= to && !this.#isOver()) {
      const page = await this.#page(next, to);
      const before = next;
      for (const message of page) {
        if (message.sequence < next) continue;
        if (message.sequence > to) break;
        if (message.sequence > next)
          await this.#lost({ from: next, to: message.sequence - 1, reason: 'missing' });
        if (this.#passes(message)) this.#accept(message, this.#settings.clock.now());
        next = message.sequence + 1;
      }
      await this.#flush();
      if (next === before) break;
    }
    if (next <= to && !this.#isOver()) await this.#lost({ from: next, to, reason: 'missing' });
  }

  #passes({ data: { position } }: StreamOrder): boolean {
    const { tradePairs, minerHotkeys } = this.#settings.filter;
    return (
      tradePairs?.includes(position.trade_pair[0]) !== false &&
      minerHotkeys?.includes(position.miner_hotkey) !== false
    );
  }

  /** Some of these orders, rising; none where they cannot be had. */
  async #page(from: number, to: number): Promise<readonly StreamOrder[]> {
    const { rest, signal, onFault, clock } = this.#settings;
    if (rest === undefined) return [];
    const limit = Math.min(PAGE_SIZE, to - from + 1);
    for (let tries = 1; ; tries++) {
      try {
        const page: OrdersPage = await rest.orders({ since: from - 1, limit, signal });
        const epoch = this.#cursor?.epoch ?? null;
        // The numbers of another log are other orders.
        if (epoch !== null && page.epoch !== epoch) return [];
        const { messages }: { messages?: unknown } = page;
        return Array.isArray(messages) ? messages.filter(isStreamOrder) : [];
      } catch (error) {
        if (this.#isOver()) return [];
        if (!(error instanceof PtnRestError)) throw error;
        onFault(error);
        if (!error.isTemporary || tries === REST_TRIES) return [];
        await wait(clock, REST_RETRY_MS * tries, signal);
      }
    }
  }
}
