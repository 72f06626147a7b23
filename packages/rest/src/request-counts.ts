import { crc32 } from '@ptn-api/positions';
import { connectionKey } from '@ptn-api/runtime';
import type { RequestCount, Transaction } from '@ptn-api/runtime';

export type RequestsTransaction = Transaction<'requests'>;

export interface RequestCountsOptions {
  /** Of this process; no two that run at the same time share it. */
  readonly pid: number;
  readonly publish: (transaction: RequestsTransaction) => void;
  /** Unix ms: windows are the same in all processes. */
  readonly now: () => number;
}

const WINDOW_MS = 60_000;
/** How much later the other processes know at most what this one has counted. */
const PUBLISH_MS = 100;

type Done = (error: Error | null, result?: { current: number; ttl: number }) => void;

/**
 * Requests of each user in the current minute, counted over all REST workers, so that the limit does not depend on which
 * of them answers. The store of @fastify/rate-limit.
 */
export class RequestCounts {
  readonly #options: RequestCountsOptions;
  readonly #own = new Map<string, RequestCount>();
  /** By process and user. */
  readonly #others = new Map<string, Map<string, RequestCount>>();
  readonly #changed = new Set<string>();

  constructor(options: RequestCountsOptions) {
    this.#options = options;
  }

  incr(userId: string, done: Done): void {
    const windowMs = this.#windowOf(userId);
    const own = this.#own.get(userId);
    const count = (own?.windowMs === windowMs ? own.count : 0) + 1;
    this.#own.set(userId, { kind: 'request-count', windowMs, count });
    if (this.#changed.size === 0) {
      setTimeout(() => {
        this.#publish();
      }, PUBLISH_MS).unref();
    }
    this.#changed.add(userId);
    const others = [...(this.#others.get(userId)?.values() ?? [])].filter(
      (other) => other.windowMs === windowMs,
    );
    const current = others.reduce((sum, other) => sum + other.count, count);
    done(null, { current, ttl: windowMs + WINDOW_MS - this.#options.now() });
  }

  /** Of the plugin's interface: all that limit by this count share it. */
  child(): this {
    return this;
  }

  /** What the other processes have counted; what comes back of one's own is known already. */
  apply({ reset, put, remove }: RequestsTransaction): void {
    if (reset) this.#others.clear();
    for (const key of remove) {
      const userId = userOf(key);
      const ofUser = this.#others.get(userId);
      ofUser?.delete(key);
      if (ofUser?.size === 0) this.#others.delete(userId);
    }
    for (const [key, value] of put) {
      if (key.startsWith(connectionKey(this.#options.pid, ''))) continue;
      const ofUser = this.#others.get(userOf(key)) ?? new Map<string, RequestCount>();
      ofUser.set(key, value);
      this.#others.set(userOf(key), ofUser);
    }
  }

  #publish(): void {
    const put = [...this.#changed].flatMap((userId) => {
      const count = this.#own.get(userId);
      return count === undefined ? [] : [[connectionKey(this.#options.pid, userId), count] as const];
    });
    this.#changed.clear();
    this.#options.publish({ topic: 'requests', reset: false, put, remove: [] });
  }

  /** Every user's minute begins at another moment, so that not all come back at once. */
  #windowOf(userId: string): number {
    const offsetMs = crc32(Buffer.from(userId)) % WINDOW_MS;
    return Math.floor((this.#options.now() - offsetMs) / WINDOW_MS) * WINDOW_MS + offsetMs;
  }
}

function userOf(key: string): string {
  return key.slice(key.indexOf(':') + 1);
}
