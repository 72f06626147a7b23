/** A clock that is set back by less is ignored: the tiers would differ by seconds in a day. */
const MIN_STEP_MS = 5000;

/**
 * The clock that everything of the positions goes by. Whatever is worked out by a time is known here, so that a clock
 * that is set back afterwards is noticed, whenever that happens and in however many steps.
 */
export class PositionsClock {
  readonly #read: () => number;
  #latestMs = -Infinity;
  #setBacks = 0;

  constructor(read: () => number = Date.now) {
    this.#read = read;
  }

  /** Unix ms. */
  readonly now = (): number => {
    const now = this.#read();
    this.#latestMs = Math.max(this.#latestMs, now);
    return now;
  };

  /** How often {@link setBackMs} found the clock set back. */
  get setBacks(): number {
    return this.#setBacks;
  }

  /** Whether {@link setBackMs} finds it set back now. */
  get isSetBack(): boolean {
    return this.now() < this.#latestMs - MIN_STEP_MS;
  }

  /** By how many ms the clock was set back since this was last asked, 0 if it was not. */
  setBackMs(): number {
    if (!this.isSetBack) return 0;
    const latestMs = this.#latestMs;
    this.#latestMs = this.#read();
    this.#setBacks += 1;
    return latestMs - this.#latestMs;
  }
}
