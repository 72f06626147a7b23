/** A wait that can be made shorter, also before it begins, and be ended for good. One at a time. */
export class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the wait ends; -Infinity where that came before anybody waited. */
  #dueMs = Infinity;
  #waiting: (() => void) | null = null;
  #isCancelled = false;

  /** Resolves after this time, or earlier where {@link within} asked for it. */
  wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      if (this.#isCancelled || this.#dueMs === -Infinity) this.#ring();
      else this.within(durationMs);
    });
  }

  /** The wait, or where there is none the next one, ends after this time at the latest. */
  within(durationMs: number): void {
    const dueMs = performance.now() + durationMs;
    if (this.#isCancelled || dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#ring();
    }, durationMs);
  }

  /** This wait and every later one ends at once; no timer is left, which would keep a process alive. */
  cancel(): void {
    this.#isCancelled = true;
    clearTimeout(this.#timer);
    this.#ring();
  }

  #ring(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#dueMs = waiting === null ? -Infinity : Infinity;
    waiting?.();
  }
}
