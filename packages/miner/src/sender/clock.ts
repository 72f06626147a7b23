import { setTimeout as delay } from 'node:timers/promises';

/** Time as the sender sees it; tests have one of their own. */
export interface Clock {
  readonly nowMs: () => number;
  /** Rejects when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: Date.now,
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal });
  },
};
