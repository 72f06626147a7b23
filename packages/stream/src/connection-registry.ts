import { connectionKey } from '@ptn-api/runtime';
import type { Transaction, WsConnection } from '@ptn-api/runtime';

export type ConnectionsTransaction = Transaction<'connections'>;

export interface ConnectionRegistryOptions {
  /** Of this process; no two that run at the same time share it. */
  readonly pid: number;
  readonly publish: (transaction: ConnectionsTransaction) => void;
  /** Connections that the key with this digest may have. */
  readonly limitOf: (digest: string) => number;
  /** Ends a connection of this process, whose place a newer one has taken. */
  readonly evict: (connectionId: number) => void;
}

/** This many evictions of one key within the window are no reconnecting any more, but programs that fight. */
const MAX_EVICTIONS = 12;
const EVICTION_WINDOW_MS = 60_000;

interface Counted extends WsConnection {
  readonly key: string;
  /** Absent for connections of other processes. */
  readonly ownId?: number;
}

/**
 * All authenticated connections, those of the other processes too. Every process finds the same ones to be too many
 * and ends its own among them.
 */
export class ConnectionRegistry {
  readonly #options: ConnectionRegistryOptions;
  readonly #byDigest = new Map<string, Map<string, Counted>>();
  readonly #digestOf = new Map<string, string>();
  /** By digest: the connections that were evicted lately, in any process, and when (monotonic ms). */
  readonly #evictions = new Map<string, Map<string, number>>();

  constructor(options: ConnectionRegistryOptions) {
    this.#options = options;
  }

  add(connectionId: number, digest: string, nowMs: number): void {
    const others = [...(this.#byDigest.get(digest)?.values() ?? [])];
    // Whatever the clock does: who comes now is the newest.
    const sinceMs = Math.max(nowMs, ...others.map((other) => other.sinceMs + 1));
    const key = this.#keyOf(connectionId);
    const value: WsConnection = { kind: 'ws-connection', userDigest: digest, sinceMs };
    this.#put({ ...value, key, ownId: connectionId });
    this.#options.publish({ topic: 'connections', reset: false, put: [[key, value]], remove: [] });
    this.enforce(digest);
  }

  remove(connectionId: number): void {
    const key = this.#keyOf(connectionId);
    if (!this.#forget(key)) return;
    this.#options.publish({ topic: 'connections', reset: false, put: [], remove: [key] });
  }

  /** What the other processes say of theirs; what comes back of one's own is known already. */
  apply({ reset, put, remove }: ConnectionsTransaction): void {
    const isOwn = (key: string) => key.startsWith(connectionKey(this.#options.pid, ''));
    const removed = reset ? [...this.#digestOf.keys()] : remove;
    for (const key of removed) if (!isOwn(key)) this.#forget(key);
    const others = put.filter(([key]) => !isOwn(key));
    for (const [key, value] of others) this.#put({ ...value, key });
    for (const digest of new Set(others.map(([, { userDigest }]) => userDigest))) this.enforce(digest);
  }

  enforce(digest: string): void {
    const counted = [...(this.#byDigest.get(digest)?.values() ?? [])].sort(
      (one, other) => one.sinceMs - other.sinceMs || (one.key < other.key ? -1 : 1),
    );
    const surplus = counted.slice(0, Math.max(0, counted.length - this.#options.limitOf(digest)));
    for (const { key, ownId } of surplus) {
      this.#noteEviction(digest, key);
      if (ownId === undefined) continue;
      this.remove(ownId);
      this.#options.evict(ownId);
    }
  }

  /**
   * For how many seconds a key with all its connections gets no further one, because too many of them were evicted
   * lately; `undefined` where it may have one.
   */
  crowdedForSeconds(digest: string): number | undefined {
    const evicted = this.#recentEvictions(digest);
    const first = evicted.at(-MAX_EVICTIONS);
    const count = this.#byDigest.get(digest)?.size ?? 0;
    if (first === undefined || count < this.#options.limitOf(digest)) return undefined;
    return Math.ceil((first + EVICTION_WINDOW_MS - performance.now()) / 1000);
  }

  #noteEviction(digest: string, key: string): void {
    const evicted = this.#evictions.get(digest) ?? new Map<string, number>();
    // Other processes' stay in the count until they have ended.
    if (!evicted.has(key)) evicted.set(key, performance.now());
    this.#evictions.set(digest, evicted);
  }

  /** When the evictions within the window were, oldest first. */
  #recentEvictions(digest: string): number[] {
    const evicted = this.#evictions.get(digest);
    if (evicted === undefined) return [];
    const sinceMs = performance.now() - EVICTION_WINDOW_MS;
    for (const [key, atMs] of evicted) if (atMs < sinceMs) evicted.delete(key);
    if (evicted.size === 0) this.#evictions.delete(digest);
    return [...evicted.values()];
  }

  #keyOf(connectionId: number): string {
    return connectionKey(this.#options.pid, connectionId);
  }

  #put(counted: Counted): void {
    const ofDigest = this.#byDigest.get(counted.userDigest) ?? new Map<string, Counted>();
    ofDigest.set(counted.key, counted);
    this.#byDigest.set(counted.userDigest, ofDigest);
    this.#digestOf.set(counted.key, counted.userDigest);
  }

  #forget(key: string): boolean {
    const digest = this.#digestOf.get(key);
    if (digest === undefined) return false;
    this.#digestOf.delete(key);
    const ofDigest = this.#byDigest.get(digest);
    ofDigest?.delete(key);
    if (ofDigest?.size === 0) this.#byDigest.delete(digest);
    return true;
  }
}
