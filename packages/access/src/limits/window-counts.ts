interface Window {
  readonly startMs: number;
  count: number;
}

export interface WindowCountsOptions {
  readonly windowMs: number;
  /** The maximum number of names that are remembered; the one whose window began first is forgotten for a further one. */
  readonly most: number;
}

/** Counts by name, in windows of time that begin with the first count. */
export class WindowCounts {
  readonly #options: WindowCountsOptions;
  /** In the order in which their windows began. */
  readonly #windows = new Map<string, Window>();

  constructor(options: WindowCountsOptions) {
    this.#options = options;
  }

  /** @param nowMs of a clock that never goes back. */
  add(name: string, nowMs: number): void {
    const window = this.#current(name, nowMs);
    if (window !== undefined) {
      window.count += 1;
      return;
    }
    this.#windows.delete(name);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size >= this.#options.most && oldest !== undefined) this.#windows.delete(oldest);
    this.#windows.set(name, { startMs: nowMs, count: 1 });
  }

  /** How long until the window of `name` ends, in ms, where it holds `limit` or more; else `undefined`. */
  fullForMs(name: string, limit: number, nowMs: number): number | undefined {
    const window = this.#current(name, nowMs);
    if (window === undefined || window.count < limit) return undefined;
    return window.startMs + this.#options.windowMs - nowMs;
  }

  #current(name: string, nowMs: number): Window | undefined {
    const window = this.#windows.get(name);
    return window !== undefined && nowMs < window.startMs + this.#options.windowMs ? window : undefined;
  }
}
