/** Time, as the stream client needs it; another one in tests. */
export interface StreamClock {
  /** Unix ms. */
  now(): number;
  setTimeout(action: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: StreamClock = {
  now: () => Date.now(),
  setTimeout: (action, delayMs) => setTimeout(action, delayMs),
  clearTimeout: (timer) => {
    clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};

/** Resolves after `delayMs`, or at once when `signal` is aborted. */
export function wait(clock: StreamClock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimeout(end, delayMs);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Samples that an offset is chosen from. */
const SAMPLES = 8;

/**
 * How far the server's clock is ahead of this one. Of the last few ping answers the one that came back soonest counts:
 * its way there and back can differ least.
 */
export class ClockOffset {
  readonly #samples: { readonly roundTripMs: number; readonly offsetMs: number }[] = [];

  /** 0 before the first answer. */
  get offsetMs(): number {
    let best = this.#samples[0];
    for (const sample of this.#samples) if (best && sample.roundTripMs <= best.roundTripMs) best = sample;
    return best?.offsetMs ?? 0;
  }

  /** One answer to a ping; all times unix ms, the first and last by this clock. */
  add(sentMs: number, serverMs: number, receivedMs: number): void {
    const roundTripMs = receivedMs - sentMs;
    // This clock was set back meanwhile: the sample says nothing.
    if (roundTripMs < 0) return;
    this.#samples.push({ roundTripMs, offsetMs: serverMs - (sentMs + receivedMs) / 2 });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }
}
