import type { StreamLimits } from './limits.ts';

/** A message counts once more for each of these that it holds: 64 KB of names take some milliseconds. */
const BYTES_PER_COUNT = 64;

interface Budget {
  /** Messages that may be sent at `sinceMs`; below 0 when more were. */
  left: number;
  sinceMs: number;
}

/** How fast clients may send: pings, filters, and what is no message at all. */
export class MessageBudgets {
  readonly #perSecond: number;
  readonly #atOnce: number;
  readonly #now: () => number;
  readonly #budgets = new Map<string, Budget>();

  /** @param now monotonic ms */
  constructor(
    { messagesPerSecond, messagesAtOnce }: Pick<StreamLimits, 'messagesPerSecond' | 'messagesAtOnce'>,
    now: () => number = () => performance.now(),
  ) {
    this.#perSecond = messagesPerSecond;
    this.#atOnce = messagesAtOnce;
    this.#now = now;
  }

  get size(): number {
    return this.#budgets.size;
  }

  /** Counts a message of that size. For how many ms nothing more may be taken from its sender; 0 as a rule. */
  spend(sender: string, bytes: number): number {
    const nowMs = this.#now();
    const budget = this.#budgets.get(sender) ?? { left: this.#atOnce, sinceMs: nowMs };
    budget.left = this.#leftAt(budget, nowMs) - 1 - Math.floor(bytes / BYTES_PER_COUNT);
    budget.sinceMs = nowMs;
    this.#budgets.set(sender, budget);
    return budget.left >= 0 ? 0 : Math.ceil((-budget.left * 1000) / this.#perSecond);
  }

  /** Drops the budgets that are whole again; to be called now and then. */
  forgetWhole(): void {
    const nowMs = this.#now();
    for (const [sender, budget] of this.#budgets) {
      if (this.#leftAt(budget, nowMs) >= this.#atOnce) this.#budgets.delete(sender);
    }
  }

  #leftAt({ left, sinceMs }: Budget, nowMs: number): number {
    return Math.min(this.#atOnce, left + ((nowMs - sinceMs) * this.#perSecond) / 1000);
  }
}
