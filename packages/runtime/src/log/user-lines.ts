import { WindowCounts } from '@ptn-api/access';

const WINDOW_MS = 60_000;
const MAX_USERS = 10_000;

/**
 * How many lines of one kind the log gets about each user in a minute. What is beyond is logged at `debug` only: a key
 * may be used thousands of times a second, and the log must not turn over for it.
 */
export class UserLines {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #counts = new WindowCounts({ windowMs: WINDOW_MS, most: MAX_USERS });

  /** @param now monotonic ms */
  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** The level for one more line about the user. */
  level(userId: string): 'info' | 'debug' {
    const nowMs = this.#now();
    if (this.#counts.fullForMs(userId, this.#perMinute, nowMs) !== undefined) return 'debug';
    this.#counts.add(userId, nowMs);
    return 'info';
  }
}
