import type { StreamClock } from '@ptn-api/client';

interface Timer {
  readonly atMs: number;
  readonly delayMs: number;
  readonly action: () => void;
}

/** A clock that moves when the test says so. */
export class ManualClock implements StreamClock {
  #nowMs = 1_700_000_000_000;
  #timers: Timer[] = [];

  now(): number {
    return this.#nowMs;
  }

  setTimeout(action: () => void, delayMs: number): unknown {
    const timer = { atMs: this.#nowMs + delayMs, delayMs, action };
    this.#timers.push(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  /** The delays of what waits. */
  get delays(): number[] {
    return this.#timers.map(({ delayMs }) => delayMs);
  }

  /** Time passes and timers do not fire, as while a computer sleeps. */
  sleep(forMs: number): void {
    this.#nowMs += forMs;
  }

  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.clearTimeout(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.action();
    }
    this.#nowMs = endMs;
  }
}
