const WINDOW_MS = 60_000;

/** 15 full bodies of a large network, decompressed, or 150 as they are kept. */
const BYTES_PER_MINUTE = 2 ** 30;

/** What each user may be sent in a minute, of this process. A text that is decompressed for it counts twice. */
export class ByteBudget {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #spent = new Map<string, { readonly startMs: number; bytes: number }>();

  /** @param now monotonic ms. */
  constructor(perMinute = BYTES_PER_MINUTE, now: () => number = () => performance.now()) {
    this.#perMinute = perMinute;
    this.#now = now;
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

  spend(userId: string, bytes: number): void {
    this.#windowOf(userId).bytes += bytes;
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
