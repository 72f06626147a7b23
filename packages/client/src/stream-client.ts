import type { AuthenticationSuccess } from '@ptn-api/protocol';
import { PtnRestClient } from './rest-client.ts';
import { Backoff } from './stream-backoff.ts';
import { ClockOffset, systemClock, wait } from './stream-clock.ts';
import type { StreamClock } from './stream-clock.ts';
import { StreamConnection } from './stream-connection.ts';
import type { ConnectionEnd } from './stream-connection.ts';
import { isCursor } from './stream-cursor.ts';
import type { Cursor } from './stream-cursor.ts';
import { StreamDelivery } from './stream-delivery.ts';
import { toError } from './stream-error.ts';
import { Inbox } from './stream-inbox.ts';
import { checkStreamOptions } from './stream-options.ts';
import type { StreamClientOptions, StreamState } from './stream-options.ts';
import type { OpenSocket } from './stream-socket.ts';
import { StreamTail } from './stream-tail.ts';

const DEFAULT_WAITING_SIZE = 8 * 1024 * 1024;
/** A subscription that stood for this time was a good one. */
const HEALTHY_MS = 30_000;

/**
 * Follows the order stream: every order once and in order, over lost connections, restarts of the server and, with a
 * cursor store, restarts of the program. What cannot be had any more is reported as a gap, never passed over in silence.
 */
export class StreamClient {
  /** Resolves when the client has ended and no handler runs: `null` by {@link stop}, else to why. Never rejects. */
  readonly finished: Promise<Error | null>;
  readonly #options: StreamClientOptions;
  readonly #openSocket: OpenSocket;
  readonly #clock: StreamClock;
  readonly #backoff: Backoff;
  readonly #offset = new ClockOffset();
  readonly #ending = new AbortController();
  readonly #inbox: Inbox;
  readonly #subscribedFirst: Promise<void>;
  #resolveSubscribed: () => void = () => undefined;
  #resolveFinished: (error: Error | null) => void = () => undefined;
  #delivery: StreamDelivery | null = null;
  #connection: StreamConnection | null = null;
  #state: StreamState = 'idle';
  #failure: Error | null = null;

  /** @throws TypeError or RangeError naming the option that cannot be used. */
  constructor(options: StreamClientOptions, openSocket: OpenSocket) {
    checkStreamOptions(options);
    const { apiKey, restUrl, clock = systemClock, random = () => Math.random() } = options;
    const rest = restUrl === undefined ? undefined : new PtnRestClient({ url: restUrl, apiKey });
    this.#options = { ...(rest && { rest }), ...options };
    this.#openSocket = openSocket;
    this.#clock = clock;
    this.#backoff = new Backoff(random);
    this.#inbox = new Inbox(options.maxWaitingSize ?? DEFAULT_WAITING_SIZE, this.#ending.signal);
    this.finished = new Promise((resolve) => {
      this.#resolveFinished = resolve;
    });
    this.#subscribedFirst = new Promise((resolve) => {
      this.#resolveSubscribed = resolve;
    });
  }

  get state(): StreamState {
    return this.#state;
  }

  /** How far the server's clock is ahead of this one, in ms; 0 until it is known. */
  get clockOffsetMs(): number {
    return this.#offset.offsetMs;
  }

  /** Orders that came again and were dropped. */
  get duplicates(): number {
    return this.#delivery?.duplicates ?? 0;
  }

  /**
   * Resolves at the first subscription; tries for as long as that takes.
   *
   * @throws what the client ended by before that: a terminal refusal (PtnStreamError), a broken cursor, `stop`.
   */
  async start(): Promise<void> {
    if (this.#state !== 'idle') throw new Error('a stream client is started once');
    this.#setState('connecting');
    void this.#run();
    const isSubscribed = this.#subscribedFirst.then(() => true);
    if (await Promise.race([isSubscribed, this.finished.then(() => false)])) return;
    throw this.#failure ?? new Error('the stream client was stopped');
  }

  /** Ends it when a running handler is done. Await it outside of the handlers only: inside, it would wait for itself. */
  async stop(): Promise<void> {
    const isIdle = this.#state === 'idle';
    this.#end(null);
    if (isIdle) this.#finish();
    await this.finished;
  }

  #end(failure: Error | null): void {
    if (this.#hasEnded()) return;
    this.#failure = failure;
    this.#ending.abort();
    this.#connection?.close();
  }

  #hasEnded(): boolean {
    return this.#ending.signal.aborted;
  }

  #finish(): void {
    this.#setState(this.#failure === null ? 'stopped' : 'failed');
    if (this.#failure !== null) this.#report(this.#failure);
    this.#resolveFinished(this.#failure);
  }

  #setState(state: StreamState): void {
    if (this.#state === state) return;
    this.#state = state;
    try {
      this.#options.onState?.(state);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  #report(error: Error): void {
    try {
      this.#options.onError?.(error);
    } catch (thrown) {
      this.#handlerFailed(thrown);
    }
  }

  /** A handler that throws ends the client; at its end, what it throws is what it ended by. */
  #handlerFailed(error: unknown): void {
    this.#failure ??= toError(error);
    this.#end(this.#failure);
  }

  async #run(): Promise<void> {
    let delivering: Promise<void> | undefined;
    try {
      const cursor = await this.#firstPlace();
      const tail = new StreamTail(this.#inbox, cursor);
      const { onOrders, onGap, rest, cursorStore, filter = {} } = this.#options;
      this.#delivery = new StreamDelivery({
        onOrders,
        ...(onGap && { onGap }),
        ...(rest && { rest }),
        inbox: this.#inbox,
        filter,
        store: cursorStore,
        cursor,
        clock: this.#clock,
        offset: this.#offset,
        onFault: (error) => {
          this.#report(error);
        },
        signal: this.#ending.signal,
      });
      delivering = this.#delivery.run().catch((error: unknown) => {
        this.#end(toError(error));
      });
      while (!this.#hasEnded()) await this.#connectOnce(tail);
    } catch (error) {
      this.#end(toError(error));
    }
    await delivering;
    this.#finish();
  }

  async #firstPlace(): Promise<Cursor | null> {
    const { cursorStore, start = 'live' } = this.#options;
    const stored: unknown = (await cursorStore?.load()) ?? null;
    if (stored === null) return start === 'live' ? null : start;
    if (!isCursor(stored))
      throw new TypeError('cursorStore.load gave something else than {sequence, epoch} or null');
    return stored;
  }

  /** One connection from its beginning to its end, and the wait before the next. */
  async #connectOnce(tail: StreamTail): Promise<void> {
    // Else each new connection would fill up what could not be worked on yet.
    if (this.#inbox.isFull) await this.#inbox.room();
    if (this.#hasEnded()) return;
    this.#setState('connecting');
    const end = await this.#follow(tail);
    if (this.#hasEnded() || end.kind === 'closed') return;
    if (end.kind === 'lost') {
      if (end.error.isTerminal) {
        this.#end(end.error);
        return;
      }
      this.#report(end.error);
    }
    this.#setState('waiting');
    await wait(this.#clock, this.#backoff.nextMs(), this.#ending.signal);
  }

  async #follow(tail: StreamTail): Promise<ConnectionEnd> {
    const { url, apiKey, filter = {} } = this.#options;
    let healthy: unknown;
    let reply: AuthenticationSuccess | null = null;
    let isPlaced = false;
    const connection = new StreamConnection(
      {
        url,
        apiKey,
        filter,
        resume: tail.cursor,
        clock: this.#clock,
        offset: this.#offset,
        openSocket: this.#openSocket,
      },
      {
        onAuthenticated: (message) => {
          reply = message;
        },
        onSubscribed: (isResumed) => {
          // A server repeats the status when its order log opens only afterwards.
          if (isPlaced || reply === null) return;
          if (reply.epoch === undefined && tail.cursor !== null && !isResumed) {
            connection.lose(
              'the server has opened another order log and did not send its number: asking again',
            );
            return;
          }
          isPlaced = reply.epoch !== undefined;
          tail.subscribed(reply, isResumed);
          this.#clock.clearTimeout(healthy);
          healthy = this.#clock.setTimeout(() => {
            this.#backoff.reset();
          }, HEALTHY_MS);
          this.#resolveSubscribed();
          this.#setState('subscribed');
        },
        onOrders: (orders, size) => {
          if (tail.received(orders, size, this.#clock.now())) this.#backoff.reset();
          this.#keepToLimit(connection);
        },
        onGap: (from, to) => {
          tail.gap(from, to);
        },
        onFault: (error) => {
          this.#report(error);
        },
      },
    );
    this.#connection = connection;
    if (this.#hasEnded()) connection.close();
    try {
      return await connection.ended;
    } finally {
      this.#connection = null;
      this.#clock.clearTimeout(healthy);
    }
  }

  /** Stops reading while too much waits for the program. */
  #keepToLimit(connection: StreamConnection): void {
    if (!this.#inbox.isFull || connection.isPaused) return;
    if (!connection.canPause) {
      connection.close();
      return;
    }
    connection.pause();
    void this.#inbox.room().then(() => {
      connection.resume();
    });
  }
}
