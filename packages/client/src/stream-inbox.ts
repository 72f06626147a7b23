import type { StreamOrder } from '@ptn-api/protocol';
import type { Cursor } from './stream-cursor.ts';

/** What came from the server and is worked on in this order. */
export type InboxItem =
  | { readonly kind: 'order'; readonly message: StreamOrder; readonly receivedAtMs: number }
  /** The server does not have these orders any more. */
  | { readonly kind: 'gap'; readonly from: number; readonly to: number }
  /** What follows comes after this place: at once (`resumed`), or sometime (`live`, also of another log than before). */
  | { readonly kind: 'place'; readonly cursor: Cursor; readonly start: 'live' | 'new-log' | 'resumed' };

/** What was received and not worked on yet, up to a limit that the connection keeps to. */
export class Inbox {
  readonly #limit: number;
  readonly #signal: AbortSignal;
  #items: InboxItem[] = [];
  #waitingSize = 0;
  #takenSize = 0;
  #wake: (() => void)[] = [];

  /** @param limit in characters of JSON. @param signal ends all waiting. */
  constructor(limit: number, signal: AbortSignal) {
    this.#limit = limit;
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      this.#wakeAll();
    });
  }

  /** What is being worked on counts, too: it is as much in memory. */
  get size(): number {
    return this.#waitingSize + this.#takenSize;
  }

  get isFull(): boolean {
    return this.size > this.#limit;
  }

  push(items: readonly InboxItem[], size: number): void {
    for (const item of items) this.#items.push(item);
    this.#waitingSize += size;
    this.#wakeAll();
  }

  /** Everything that waits, as soon as there is something; nothing when the signal is aborted. */
  async take(): Promise<readonly InboxItem[]> {
    this.#takenSize = 0;
    this.#wakeAll();
    while (this.#items.length === 0 && !this.#signal.aborted) await this.#change();
    const items = this.#items;
    this.#items = [];
    this.#takenSize = this.#waitingSize;
    this.#waitingSize = 0;
    return items;
  }

  /** Resolves when half of the limit is free again, or when the signal is aborted. */
  async room(): Promise<void> {
    while (this.size > this.#limit / 2 && !this.#signal.aborted) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve);
    });
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
