import { bucketOf } from './latencies.ts';
import type { LatencyBuckets } from './latencies.ts';

/** What one user asked of one route in some time. Users are named by the id of the key file, never by a key. */
export interface UsageEntry {
  /** `null` for requests without a key that counts. */
  readonly userId: string | null;
  readonly route: string;
  readonly requests: number;
  /** Of these, answered with a status of 400 or above. */
  readonly failures: number;
  readonly bytesSent: number;
  readonly totalMs: number;
  readonly latencies: LatencyBuckets;
}

export interface UsedRequest {
  readonly userId: string | null;
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  readonly bytesSent: number;
}

interface Sums {
  userId: string | null;
  route: string;
  requests: number;
  failures: number;
  bytesSent: number;
  totalMs: number;
  latencies: Map<number, number>;
}

/** Sums up requests per user and route until they are taken. */
export class Usage {
  readonly #sums = new Map<string, Sums>();

  record({ userId, route, status, ms, bytesSent }: UsedRequest): void {
    const sums = this.#sumsOf(userId, route);
    sums.requests += 1;
    if (status >= 400) sums.failures += 1;
    sums.bytesSent += bytesSent;
    sums.totalMs += ms;
    count(sums.latencies, bucketOf(ms), 1);
  }

  /** Adds what another process has summed up. */
  add(entries: readonly UsageEntry[]): void {
    for (const entry of entries) {
      const sums = this.#sumsOf(entry.userId, entry.route);
      sums.requests += entry.requests;
      sums.failures += entry.failures;
      sums.bytesSent += entry.bytesSent;
      sums.totalMs += entry.totalMs;
      for (const [bucket, requests] of entry.latencies) count(sums.latencies, bucket, requests);
    }
  }

  entries(): UsageEntry[] {
    return [...this.#sums.values()];
  }

  /** Gives what was summed up and begins anew. */
  take(): UsageEntry[] {
    const entries = this.entries();
    this.#sums.clear();
    return entries;
  }

  #sumsOf(userId: string | null, route: string): Sums {
    // Routes hold no space, so that no two pairs meet in one name.
    const name = userId === null ? route : `${route} ${userId}`;
    let sums = this.#sums.get(name);
    if (sums === undefined) {
      sums = { userId, route, requests: 0, failures: 0, bytesSent: 0, totalMs: 0, latencies: new Map() };
      this.#sums.set(name, sums);
    }
    return sums;
  }
}

function count(latencies: Map<number, number>, bucket: number, by: number): void {
  latencies.set(bucket, (latencies.get(bucket) ?? 0) + by);
}
