import type { Logger } from 'pino';
import type { WebSocket } from '@fastify/websocket';
import type { KeyGrant } from '@ptn-api/runtime';
import { UserLines } from '@ptn-api/runtime';
import { Budgets } from '@ptn-api/access';
import type { AddressLimit } from '@ptn-api/access';
import type { OrderLogReader } from '@ptn-api/order-log';
import { ConnectionRegistry } from './connection-registry.ts';
import type { ConnectionsTransaction } from './connection-registry.ts';
import { Connection } from './connection.ts';
import type { Frame } from './frame.ts';
import { STREAM_LIMITS } from './limits.ts';
import type { StreamLimits } from './limits.ts';
import { STREAM_TIER } from './login.ts';
import { OrderLogCursor } from './order-log-cursor.ts';
import type { Refusal } from './refusal.ts';
import { Replays } from './replays.ts';
import { StreamSession } from './stream-session.ts';
import type { StreamMetrics, StreamView } from './stream-metrics.ts';

export interface StreamServerOptions {
  /** `undefined` while there is no order log. */
  readonly reader: () => OrderLogReader | undefined;
  readonly keys: {
    readonly lookup: (key: string, nowMs: number) => KeyGrant | undefined;
    readonly current: (digest: string, nowMs: number) => KeyGrant | undefined;
  };
  /** Failed authentications by address; absent: they are not limited. */
  readonly failures?: Pick<AddressLimit, 'add'>;
  readonly log: Logger;
  readonly pid: number;
  /** Notifies the other workers of the connections of this one. */
  readonly publish: (transaction: ConnectionsTransaction) => void;
  /** Unix ms. */
  readonly now?: () => number;
  readonly limits?: Partial<StreamLimits>;
  /** Who counts what is sent; nobody by default. */
  readonly metrics?: StreamMetrics;
}

/** Keys of this tier on may have as many connections as they like, unless the key file says how many. */
const UNLIMITED_TIER = 200;

/** Lines about a user's connections in a minute: one may be opened and closed hundreds of times a second. */
const LINES_PER_MINUTE = 60;

/** What a client's message counts for: once more for each 64 bytes, as 64 KB of names take some milliseconds. */
function messageCost(sizeBytes: number): number {
  return 1 + Math.floor(sizeBytes / 64);
}

/** Who is at the other end. */
export interface Peer {
  /** Behind a proxy that is trusted, the address it forwards. */
  readonly address: string;
  /** Whether a page of another site opened it. */
  readonly isOfOtherSite?: boolean;
  /** The key of its handshake, empty where there was none in the header; absent: it comes in the first message. */
  readonly key?: string | undefined;
  readonly onAuthenticated: () => void;
}

/** All clients of this process and the order log they are fed from. */
export class StreamServer implements StreamView {
  readonly limits: StreamLimits;
  readonly #options: StreamServerOptions;
  readonly #now: () => number;
  readonly #sessions = new Map<number, StreamSession>();
  readonly #registry: ConnectionRegistry;
  readonly #timer: NodeJS.Timeout;
  /** Digests of the keys that were warned of. */
  readonly #crowded = new Set<string>();
  #reader: OrderLogReader | undefined;
  #stream: OrderLogCursor | undefined;
  #lastId = 0;
  /** Orders up to it were sent before, or were there before this process: they say nothing about the lag. */
  #measuredUpTo = 0;
  #isDraining = false;
  #onEmpty: (() => void) | undefined;
  readonly #replays = new Replays();
  /** Of messages, by key. */
  readonly #budgets: Budgets;
  readonly #lines = new UserLines(LINES_PER_MINUTE);

  constructor(options: StreamServerOptions) {
    this.#options = options;
    this.limits = { ...STREAM_LIMITS, ...options.limits };
    this.#now = options.now ?? Date.now;
    const { messagesPerSecond: perSecond, messagesAtOnce: atOnce } = this.limits;
    this.#budgets = new Budgets({ perSecond, atOnce });
    this.#registry = new ConnectionRegistry({
      pid: options.pid,
      publish: options.publish,
      limitOf: (digest) => {
        const grant = options.keys.current(digest, this.#now());
        const isUnlimited = (grant?.tier ?? 0) >= UNLIMITED_TIER;
        return grant?.maxConnections ?? (isUnlimited ? Infinity : this.limits.connectionsPerKey);
      },
      evict: (id) => this.#sessions.get(id)?.refuse({ code: 'PTN_ERR_WS_MAX_CONNECTIONS' }),
    });
    this.#timer = setInterval(() => {
      this.#check();
    }, this.limits.checkMs).unref();
    this.ordersChanged();
  }

  get openCount(): number {
    return this.#sessions.size;
  }

  *userIds(): Iterable<string> {
    for (const { userId } of this.#sessions.values()) if (userId !== undefined) yield userId;
  }

  furthestBehind(): number {
    const last = this.#stream?.state.last ?? 0;
    const places = [...this.#sessions.values()].map((session) => session.sentUpTo ?? last);
    return places.reduce((most, place) => Math.max(most, last - place), 0);
  }

  /** Serves a WebSocket whose opening handshake is done. */
  accept(socket: WebSocket, peer: Peer): void {
    const id = (this.#lastId += 1);
    const { log, keys, failures } = this.#options;
    const connection: Connection = new Connection(socket, {
      limits: this.limits,
      onMessage: (bytes) => {
        session.receive(bytes);
      },
      onCost: (bytes) => this.#budgets.spend(session.digest ?? `connection ${id}`, messageCost(bytes)),
      onTaken: () => {
        session.feed();
      },
      onStalled: () => {
        log.info({ event: 'ws-too-slow', connection: id }, 'a client reads nothing and is closed');
      },
      onClosed: (closeCode) => {
        this.#forget(id, closeCode, session);
      },
      onError: (error) => {
        log.debug({ event: 'ws-connection-error', connection: id, err: error }, 'a connection broke');
      },
    });
    const session: StreamSession = new StreamSession(connection, {
      limits: this.limits,
      now: this.#now,
      stream: () => this.#stream,
      replayLater: (waiting) => {
        this.#replays.add(waiting);
      },
      lookup: (key, nowMs) => keys.lookup(key, nowMs),
      onDelivered: (frame) => {
        this.#countDelivery(frame);
      },
      crowdedForSeconds: (grant) => this.#crowdedForSeconds(grant),
      onRefused: () => failures?.add(peer.address, peer.isOfOtherSite),
      onAuthenticated: ({ sha256, userId }) => {
        peer.onAuthenticated();
        const line = { event: 'ws-authenticated', connection: id, user_id: userId };
        log[this.#lines.level(userId)](line, 'a client authenticated');
        this.#registry.add(id, sha256, this.#now());
      },
    });
    this.#sessions.set(id, session);
    if (this.#isDraining) session.shutDown();
    else if (peer.key !== undefined) session.loginByHeader(peer.key);
  }

  /** There are new orders, or another order log. */
  ordersChanged(): void {
    const reader = this.#options.reader();
    if (reader === undefined) return;
    const before = this.#stream;
    if (before !== undefined && reader === this.#reader) {
      before.refresh();
      if (!before.isReplaced) {
        for (const session of this.#sessions.values()) session.feed();
        return;
      }
    }
    this.#reader = reader;
    const stream = (this.#stream = new OrderLogCursor(reader));
    this.#measuredUpTo = stream.state.last;
    this.#replays.logOpened(stream.state.last);
    const isReplaced = before !== undefined && before.state.epoch !== stream.state.epoch;
    for (const session of this.#sessions.values()) {
      if (isReplaced) session.streamReplaced();
      session.streamOpened(stream);
      session.feed();
    }
  }

  /** Who has lost a key, or its access, is let go; so are connections above a limit that was lowered. */
  keysChanged(): void {
    const nowMs = this.#now();
    const digests = new Set<string>();
    for (const session of this.#sessions.values()) {
      if (session.digest === undefined) continue;
      digests.add(session.digest);
      const refusal = this.#refusalOf(session.digest, nowMs);
      if (refusal !== undefined) session.refuse(refusal);
    }
    for (const digest of digests) this.#registry.enforce(digest);
  }

  connectionsChanged(transaction: ConnectionsTransaction): void {
    this.#registry.apply(transaction);
  }

  /** Closes all connections behind what was sent to them; those that are left after `withinMs` are cut. */
  async drain(withinMs: number): Promise<void> {
    this.#isDraining = true;
    const emptied = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    for (const session of this.#sessions.values()) session.shutDown();
    let deadline: NodeJS.Timeout | undefined;
    if (this.#sessions.size > 0) {
      await Promise.race([
        emptied,
        new Promise<void>((resolve) => {
          deadline = setTimeout(resolve, withinMs);
        }),
      ]);
    }
    clearTimeout(deadline);
    clearInterval(this.#timer);
    for (const session of this.#sessions.values()) session.terminate();
  }

  #countDelivery({ after, count, newestMs, bytes }: Frame): void {
    const { metrics } = this.#options;
    metrics?.countDelivery(count, bytes?.length ?? 0);
    if (after <= this.#measuredUpTo) return;
    this.#measuredUpTo = after;
    metrics?.observeLag(this.#now() - newestMs);
  }

  /** Warns once as long as it lasts: two programs reconnect several times a second. */
  #crowdedForSeconds({ sha256, userId }: KeyGrant): number | undefined {
    const seconds = this.#registry.crowdedForSeconds(sha256);
    if (seconds === undefined) {
      this.#crowded.delete(sha256);
    } else if (!this.#crowded.has(sha256)) {
      this.#crowded.add(sha256);
      this.#options.log.warn(
        { event: 'ws-connections-evict-each-other', user_id: userId },
        'programs with one key have more connections than its limit and evict each other: further ones are refused ' +
          'for a while. Give each program a key of its own, or the key more connections ("max_connections")',
      );
    }
    return seconds;
  }

  #refusalOf(digest: string, nowMs: number): Refusal | undefined {
    const grant = this.#options.keys.current(digest, nowMs);
    if (grant === undefined) return { code: 'PTN_ERR_WS_KEY_REVOKED' };
    return grant.tier < STREAM_TIER ? { code: 'PTN_ERR_WS_TIER_ACCESS' } : undefined;
  }

  #check(): void {
    // Keys expire without anybody telling.
    this.keysChanged();
    this.#budgets.forgetWhole();
    for (const session of this.#sessions.values()) session.check();
  }

  #forget(id: number, closeCode: number, session: StreamSession): void {
    this.#sessions.delete(id);
    this.#options.metrics?.countClosed(closeCode);
    this.#registry.remove(id);
    const { userId, openMs } = session;
    const line = { event: 'ws-closed', connection: id, user_id: userId, closeCode, ms: Math.round(openMs) };
    // Anybody can open and close connections: only those of somebody are of interest.
    this.#options.log[userId === undefined ? 'debug' : this.#lines.level(userId)](
      line,
      'a connection is closed',
    );
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }
}
