export interface BudgetSize {
  readonly perSecond: number;
  /** What may be spent at once, and what a budget that is not used grows to. */
  readonly atOnce: number;
}

interface Budget {
  /** What was left at `sinceMs`; below 0 when more was spent. */
  left: number;
  sinceMs: number;
}

/** What each of many, by name, may spend as time passes. */
export class Budgets {
  readonly #size: BudgetSize;
  readonly #now: () => number;
  readonly #budgets = new Map<string, Budget>();

  /** @param now monotonic ms */
  constructor(size: BudgetSize, now: () => number = () => performance.now()) {
    this.#size = size;
    this.#now = now;
  }

  /** How many names have spent something. */
  get size(): number {
    return this.#budgets.size;
  }

  /**
   * Spends, also what is not there: a single large cost is allowed, and paid for afterwards. A negative cost gives back.
   *
   * @returns as {@link waitMs}
   */
  spend(name: string, cost: number): number {
    this.#budgets.set(name, { left: this.#left(name) - cost, sinceMs: this.#now() });
    return this.waitMs(name);
  }

  /** For how many ms the name should spend nothing more; 0 as a rule. */
  waitMs(name: string): number {
    return Math.max(0, Math.ceil((-this.#left(name) * 1000) / this.#size.perSecond));
  }

  /** Drops the budgets that are whole again; to be called now and then where names come and go. */
  forgetWhole(): void {
    for (const name of this.#budgets.keys())
      if (this.#left(name) >= this.#size.atOnce) this.#budgets.delete(name);
  }

  /** All are whole again. */
  clear(): void {
    this.#budgets.clear();
  }

  #left(name: string): number {
    const { perSecond, atOnce } = this.#size;
    const budget = this.#budgets.get(name);
    if (budget === undefined) return atOnce;
    return Math.min(atOnce, budget.left + ((this.#now() - budget.sinceMs) * perSecond) / 1000);
  }
}
