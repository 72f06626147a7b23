const FIRST_MS = 1000;
const MAX_MS = 60_000;

/**
 * How long to wait before connecting again: a random time up to 1 s, then up to twice as long each time, up to 60 s.
 * Random over the whole span, so that clients that lost the same server do not come back at the same moment.
 */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** @param random gives numbers from 0 up to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  nextMs(): number {
    const spanMs = Math.min(MAX_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    return this.#random() * spanMs;
  }

  reset(): void {
    this.#failures = 0;
  }
}
