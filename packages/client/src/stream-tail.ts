import type { AuthenticationSuccess, StreamOrder } from '@ptn-api/protocol';
import type { Cursor } from './stream-cursor.ts';
import type { Inbox } from './stream-inbox.ts';

/** Puts what is received into the inbox and knows how far that goes: where the next connection has to go on. */
export class StreamTail {
  readonly #inbox: Inbox;
  #cursor: Cursor | null;

  constructor(inbox: Inbox, cursor: Cursor | null) {
    this.#inbox = inbox;
    this.#cursor = cursor;
  }

  /** `null` while nothing is known: the stream begins with the next order. */
  get cursor(): Cursor | null {
    return this.#cursor;
  }

  /** A subscription began. `isResumed` is false where the server could not go on at {@link cursor}. */
  subscribed({ current_sequence: sequence, epoch }: AuthenticationSuccess, isResumed: boolean): void {
    // Without an order log the server sends no number either.
    if (epoch === undefined) return;
    const cursor = this.#cursor;
    if (cursor === null) this.#place({ sequence, epoch }, 'live');
    else if (!isResumed || (cursor.epoch !== null && cursor.epoch !== epoch)) {
      this.#place({ sequence, epoch }, 'new-log');
    } else if (cursor.epoch === null) this.#place({ sequence: cursor.sequence, epoch }, 'resumed');
  }

  /**
   * @param size of their JSON, in characters.
   * @returns whether there is a new one among them.
   */
  received(orders: readonly StreamOrder[], size: number, receivedAtMs: number): boolean {
    this.#inbox.push(
      orders.map((message) => ({ kind: 'order', message, receivedAtMs })),
      size,
    );
    return this.#moveTo(orders.reduce((last, { sequence }) => Math.max(last, sequence), -1));
  }

  gap(from: number, to: number): void {
    this.#inbox.push([{ kind: 'gap', from, to }], 0);
    this.#moveTo(to);
  }

  #moveTo(sequence: number): boolean {
    if (sequence <= (this.#cursor?.sequence ?? -1)) return false;
    this.#cursor = { sequence, epoch: this.#cursor?.epoch ?? null };
    return true;
  }

  #place(cursor: Cursor, start: 'live' | 'new-log' | 'resumed'): void {
    this.#cursor = cursor;
    this.#inbox.push([{ kind: 'place', cursor, start }], 0);
  }
}
