import { setTimeout as delay } from 'node:timers/promises';

/** What comes soon is seen at once; what takes long, such as the start of a server, is not slowed down by being asked. */
const [FIRST_PAUSE_MS, MAX_PAUSE_MS] = [5, 50];

export interface WaitOptions {
  /** How long to go on trying. 30 s by default. */
  readonly timeoutMs?: number;
  /** What is waited for, for the error: "the server is ready". A function is asked when the time is up. */
  readonly what: string | (() => string);
}

/**
 * Asks `condition` again and again until it gives something other than false, null or undefined, and returns that.
 *
 * @throws Error saying what did not happen; `cause` is the last error of `condition`, which counts as "not yet".
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 30_000, what }: WaitOptions,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 1.2)) {
    try {
      const value = await condition();
      if (value !== false && value !== null && value !== undefined) {
        return value as Exclude<T, false | null | undefined>;
      }
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      const missing = typeof what === 'string' ? what : what();
      throw new Error(`waited ${timeoutMs} ms in vain: ${missing}`, { cause: lastError });
    }
    await delay(pauseMs);
  }
}
