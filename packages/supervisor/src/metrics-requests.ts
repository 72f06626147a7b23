import type { MetricsMessage } from '@ptn-api/runtime';

/** Asks a worker with this id; `sent` is called with the error when that could not be sent. */
type Send = (id: number, sent: (error: Error | null) => void) => void;

/** The metrics that a worker was asked for and has not answered yet. */
export class MetricsRequests {
  readonly #waiters = new Map<number, (answer: MetricsMessage | undefined) => void>();
  #lastId = 0;

  /** Resolves with the answer; with `undefined` when there is none within `withinMs`, or there will be none. */
  ask(send: Send, withinMs: number): Promise<MetricsMessage | undefined> {
    const id = (this.#lastId += 1);
    return new Promise((resolve) => {
      const settle = (answer?: MetricsMessage): void => {
        clearTimeout(timer);
        this.#waiters.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(settle, withinMs);
      this.#waiters.set(id, settle);
      send(id, (error) => {
        if (error !== null) settle();
      });
    });
  }

  /** An answer that nobody waits for any more is dropped. */
  receive(message: MetricsMessage): void {
    this.#waiters.get(message.id)?.(message);
  }

  /** The worker has ended. */
  close(): void {
    for (const settle of this.#waiters.values()) settle(undefined);
  }
}
