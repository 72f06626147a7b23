import type { AnyTransaction, Topic } from './messages.ts';
import { mergeTransactions } from './retained.ts';

/** Sends one message; calls `sent` once it has left the process, with the error if it could not. */
export type SendTransactions = (
  transactions: readonly AnyTransaction[],
  sent: (error: Error | null) => void,
) => void;

/**
 * The way of retained messages to one worker, at the worker's pace: one message is under way at a time, and what is
 * pushed meanwhile is merged. So a worker that does not read costs at most one value per key, and catches up with one
 * message when it reads again.
 */
export class Outbox {
  readonly #send: SendTransactions;
  readonly #waiting = new Map<Topic, AnyTransaction>();
  #isSending = false;
  #isClosed = false;

  constructor(send: SendTransactions) {
    this.#send = send;
  }

  push(transactions: readonly AnyTransaction[]): void {
    if (this.#isClosed) return;
    if (!this.#isSending) {
      this.#start(transactions);
      return;
    }
    for (const transaction of transactions) {
      const earlier = this.#waiting.get(transaction.topic);
      const merged = earlier === undefined ? transaction : mergeTransactions(earlier, transaction);
      this.#waiting.set(transaction.topic, merged);
    }
  }

  /** The worker has ended: nothing is sent or kept any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }

  #start(transactions: readonly AnyTransaction[]): void {
    this.#isSending = true;
    this.#send(transactions, (error) => {
      this.#isSending = false;
      // The channel is broken for good; a new worker gets a new outbox, and the whole retained state.
      if (error !== null) this.close();
      if (this.#waiting.size === 0) return;
      const next = [...this.#waiting.values()];
      this.#waiting.clear();
      this.#start(next);
    });
  }
}
