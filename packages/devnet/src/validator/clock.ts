/** What a clock that may run faster than the world is made of. */
export interface ClockOptions {
  /** What it shows first, Unix ms. */
  readonly startMs: number;
  /** Simulated seconds in a real one. */
  readonly speed: number;
  /** The real time, in ms since any moment. */
  readonly realMs: () => number;
  /** The time, Unix ms, that it catches up with and then is; without it, it passes any. */
  readonly latestMs?: (() => number) | undefined;
  /**
   * Keeps on disk up to which time the clock may be read, so that after a crash it goes on behind that.
   *
   * @throws what the file system throws.
   */
  readonly reserve: (untilMs: number) => void;
  /** Called once when time stands still, as it cannot be reserved. */
  readonly onReserveError: (error: unknown) => void;
}

/** Real time that is reserved at once. */
const RESERVED_REAL_MS = 2000;

/** A clock that never goes back: not when the machine's is set, and not over a crash. */
export class SimulatedClock {
  readonly #options: ClockOptions;
  readonly #startRealMs: number;
  #lastMs: number;
  #reservedMs: number;
  #isStanding = false;
  /** The time that it may not pass, when it was last asked for. */
  #latestMs = Infinity;

  constructor(options: ClockOptions) {
    this.#options = options;
    this.#startRealMs = options.realMs();
    this.#lastMs = options.startMs;
    this.#reservedMs = options.startMs - 1;
  }

  /** The simulated time, in whole Unix ms. */
  nowMs(): number {
    const { startMs, speed, realMs, latestMs = () => Infinity, reserve, onReserveError } = this.#options;
    const latest = Math.floor(latestMs());
    this.#latestMs = latest;
    const nowMs = Math.floor(Math.min(startMs + (realMs() - this.#startRealMs) * speed, latest));
    if (nowMs <= this.#lastMs) return this.#lastMs;
    if (nowMs > this.#reservedMs) {
      const untilMs = Math.min(nowMs + Math.ceil(RESERVED_REAL_MS * speed), latest + RESERVED_REAL_MS);
      try {
        reserve(untilMs);
        this.#reservedMs = untilMs;
        this.#isStanding = false;
      } catch (error) {
        if (!this.#isStanding) onReserveError(error);
        this.#isStanding = true;
        return this.#lastMs;
      }
    }
    this.#lastMs = nowMs;
    return nowMs;
  }

  /** Simulated seconds in a real one, as it goes now. */
  get speed(): number {
    const { speed, latestMs } = this.#options;
    return latestMs !== undefined && this.#lastMs >= this.#latestMs ? 1 : speed;
  }

  /** Gives back what was reserved and not used. @throws what the file system throws. */
  stop(): void {
    this.#options.reserve(this.#lastMs);
  }
}
