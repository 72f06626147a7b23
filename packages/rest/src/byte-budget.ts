import { Budgets } from '@ptn-api/access';

const WINDOW_MS = 60_000;

/** 15 full bodies of a large network, decompressed, or 150 as they are kept. */
const BYTES_PER_MINUTE = 2 ** 30;
/** What is sent of these in a second: all at once would hold up the others. */
const PART_OF_A_SECOND = 1 / 32;

/** What each user may be sent in a minute, of this process. A text that is decompressed for it counts twice. */
export class ByteBudget {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #spent = new Map<string, { readonly startMs: number; bytes: number }>();
  readonly #pace: Budgets;

  /** @param now monotonic ms. */
  constructor(perMinute = BYTES_PER_MINUTE, now: () => number = () => performance.now()) {
    this.#perMinute = perMinute;
    this.#now = now;
    const perSecond = perMinute * PART_OF_A_SECOND;
    this.#pace = new Budgets({ perSecond, atOnce: perSecond }, now);
  }

  get perMinute(): number {
    return this.#perMinute;
  }

  /** What is left of the user's minute, at least 0, and for how many seconds it lasts. */
  left(userId: string): { readonly bytes: number; readonly seconds: number } {
    const { startMs, bytes } = this.#windowOf(userId);
    const leftMs = startMs + WINDOW_MS - this.#now();
    return { bytes: Math.max(this.#perMinute - bytes, 0), seconds: Math.ceil(leftMs / 1000) };
  }

  /** @returns for how many ms an answer of so many bytes should wait for what the user was sent before; 0 as a rule */
  spend(userId: string, bytes: number): number {
    const waitMs = this.#pace.waitMs(userId);
    this.#pace.spend(userId, bytes);
    this.#windowOf(userId).bytes += bytes;
    return waitMs;
  }

  #windowOf(userId: string) {
    const nowMs = this.#now();
    let window = this.#spent.get(userId);
    if (window === undefined || nowMs >= window.startMs + WINDOW_MS) {
      window = { startMs: nowMs, bytes: 0 };
      this.#spent.set(userId, window);
    }
    return window;
  }
}
