import { connectionKey } from '../ipc/messages.ts';
import type { Transaction, WsConnection } from '../ipc/messages.ts';

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
    for (const { ownId } of surplus) {
      if (ownId === undefined) continue;
      this.remove(ownId);
      this.#options.evict(ownId);
    }
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
