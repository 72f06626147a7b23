export interface RestartBudgetLimits {
  /** This many crashes within the window exhaust the budget. */
  readonly crashes: number;
  readonly windowMs: number;
}

/** Three crashes in five minutes: no longer bad luck. */
const DEFAULT_LIMITS: RestartBudgetLimits = { crashes: 3, windowMs: 300_000 };

/**
 * Says when a worker crashes too often (OTP: restart intensity). It only says so: the worker is started again all the
 * same, because a server that answers now and then is worth more than one that gave up.
 */
export class RestartBudget {
  readonly #limits: RestartBudgetLimits;
  #crashTimes: number[] = [];
  #exhausted = false;

  constructor(limits: RestartBudgetLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Notes a crash at `now` (ms).
   *
   * @returns true for the crash that exhausts the budget, false for those that follow it: one alert, not one per crash.
   * The budget has recovered, and can alert again, once fewer crashes than the limit fall in one window.
   */
  recordCrash(now: number): boolean {
    this.#crashTimes = this.#crashTimes.filter((time) => now - time < this.#limits.windowMs);
    this.#crashTimes.push(now);
    const wasExhausted = this.#exhausted;
    this.#exhausted = this.#crashTimes.length >= this.#limits.crashes;
    return this.#exhausted && !wasExhausted;
  }
}
