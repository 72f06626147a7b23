import { isTerminalCloseCode } from '@ptn-api/protocol';
import type { AuthenticationSuccess, StreamOrder, StreamRefusal, SubscribeMessage } from '@ptn-api/protocol';
import type { ClockOffset, StreamClock } from './stream-clock.ts';
import type { Cursor } from './stream-cursor.ts';
import { isTerminalRefusal, PtnStreamError } from './stream-error.ts';
import { parseServerMessage } from './stream-message.ts';
import type { ServerMessage } from './stream-message.ts';
import type { StreamFilter } from './stream-options.ts';
import type { OpenSocket, SocketEnd, StreamSocket } from './stream-socket.ts';

/** From opening to the subscription. */
const SUBSCRIBE_TIMEOUT_MS = 15_000;
const PING_EVERY_MS = 15_000;
const SILENCE_MS = 45_000;
/** A program that was suspended received nothing either: this many pings must have had the chance of an answer. */
const SILENT_PINGS = 2;

/** Why a connection is over. */
export type ConnectionEnd =
  | { readonly kind: 'lost'; readonly error: PtnStreamError }
  /** The server stops and says so; or it was ended from this side. */
  | { readonly kind: 'shutdown' | 'closed' };

export interface ConnectionSettings {
  readonly url: string;
  readonly apiKey: string;
  readonly filter: StreamFilter;
  /** Where to go on; `null`: with the next order. */
  readonly resume: Cursor | null;
  readonly clock: StreamClock;
  readonly offset: ClockOffset;
  readonly openSocket: OpenSocket;
}

export interface ConnectionEvents {
  readonly onAuthenticated: (reply: AuthenticationSuccess) => void;
  /** `isResumed` is false where the server could not go on at `resume`. */
  readonly onSubscribed: (isResumed: boolean) => void;
  /** @param size of their JSON, in characters. */
  readonly onOrders: (orders: readonly StreamOrder[], size: number) => void;
  readonly onGap: (from: number, to: number) => void;
  /** A message that could not be used; the connection goes on. */
  readonly onFault: (error: PtnStreamError) => void;
}

/** One connection, from opening it to its end: authentication, subscription, pings, and what is received. */
export class StreamConnection {
  /** Resolves when it is over; never rejects. */
  readonly ended: Promise<ConnectionEnd>;
  readonly #settings: ConnectionSettings;
  readonly #events: ConnectionEvents;
  readonly #socket: StreamSocket;
  #resolveEnded: (end: ConnectionEnd) => void = () => undefined;
  #isOver = false;
  #isAuthenticated = false;
  #isSubscribed = false;
  #isPaused = false;
  #refusal: StreamRefusal | null = null;
  #heardMs: number;
  #pingsSinceHeard = 0;
  #timer: unknown;

  constructor(settings: ConnectionSettings, events: ConnectionEvents) {
    this.#settings = settings;
    this.#events = events;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const { clock } = settings;
    this.#heardMs = clock.now();
    this.#socket = settings.openSocket(settings.url, {
      onOpen: () => {
        this.#greet();
      },
      onText: (text) => {
        this.#receive(text);
      },
      onEnd: (end) => {
        this.#socketEnded(end);
      },
    });
    this.#timer = clock.setTimeout(() => {
      const missing = this.#isAuthenticated
        ? 'confirmed no subscription'
        : 'did not answer the authentication';
      this.lose(`the server ${missing} within ${SUBSCRIBE_TIMEOUT_MS / 1000} s`);
    }, SUBSCRIBE_TIMEOUT_MS);
  }

  /** False in browsers, where the connection has to be closed to stop reading. */
  get canPause(): boolean {
    return this.#socket.pause !== undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause?.();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // Nothing was read meanwhile, which says nothing about the server.
    this.#heardMs = this.#settings.clock.now();
    this.#pingsSinceHeard = 0;
    this.#socket.resume?.();
  }

  close(): void {
    this.#end({ kind: 'closed' });
  }

  /** Ends it as if it had broken, so that another one takes its place. */
  lose(why: string): void {
    this.#end({ kind: 'lost', error: new PtnStreamError(why) });
  }

  #end(end: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settings.clock.clearTimeout(this.#timer);
    this.#socket.close();
    this.#resolveEnded(end);
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  /**
   * All at once, without waiting for answers: between the number that the authentication answers and the subscription no
   * order must pass. The ping comes first, so that the clock is known before the first order.
   */
  #greet(): void {
    const { apiKey, resume, filter, clock } = this.#settings;
    this.#send({
      api_key: apiKey,
      last_sequence: resume?.sequence ?? -1,
      // Also where none is known: it says that this client keeps its place itself.
      epoch: resume?.epoch ?? null,
    });
    this.#ping();
    const { tradePairs, minerHotkeys } = filter;
    const subscribe: SubscribeMessage = {
      type: 'subscribe',
      ...(tradePairs === undefined && minerHotkeys === undefined && { all: true }),
      ...(tradePairs && { trade_pairs: tradePairs }),
      ...(minerHotkeys && { miner_hotkeys: minerHotkeys }),
      sender_timestamp: clock.now(),
    };
    this.#send(subscribe);
  }

  #ping(): void {
    this.#pingsSinceHeard += 1;
    this.#send({ type: 'ping', timestamp: this.#settings.clock.now() });
  }

  #pingLater(): void {
    const { clock } = this.#settings;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => {
      const isSilent = clock.now() - this.#heardMs >= SILENCE_MS && this.#pingsSinceHeard >= SILENT_PINGS;
      if (!this.#isPaused && isSilent) {
        this.lose(`nothing came from the server for ${SILENCE_MS / 1000} s`);
        return;
      }
      if (!this.#isPaused) this.#ping();
      this.#pingLater();
    }, PING_EVERY_MS);
  }

  #receive(text: string): void {
    if (this.#isOver) return;
    this.#heardMs = this.#settings.clock.now();
    this.#pingsSinceHeard = 0;
    this.#act(parseServerMessage(text), text.length);
  }

  #act(message: ServerMessage, size: number): void {
    switch (message.kind) {
      case 'authenticated':
        this.#isAuthenticated = true;
        this.#events.onAuthenticated(message.message);
        break;
      case 'refused':
        this.#refusal = message.message;
        if (isTerminalRefusal(message.message)) this.#end({ kind: 'lost', error: this.#refusedError(true) });
        break;
      case 'status':
        this.#subscribed(message.message.resumed !== false);
        break;
      case 'pong': {
        const { client_timestamp: sentMs, server_timestamp: serverMs } = message.message;
        if (typeof sentMs === 'number') this.#settings.offset.add(sentMs, serverMs, this.#heardMs);
        break;
      }
      case 'orders':
        if (message.broken > 0) {
          this.#events.onFault(
            new PtnStreamError(`orders that the server sent and that cannot be read: ${message.broken}`),
          );
        }
        if (message.orders.length > 0) this.#events.onOrders(message.orders, size);
        break;
      case 'gap':
        this.#events.onGap(message.from, message.to);
        break;
      case 'shutdown':
        this.#end({ kind: 'shutdown' });
        break;
      case 'error':
        this.#erred(message.message.message);
        break;
      case 'garbage':
        this.#events.onFault(new PtnStreamError(`the server sent ${message.why}`));
        break;
      case 'unknown':
        break;
    }
  }

  #subscribed(isResumed: boolean): void {
    if (!this.#isAuthenticated) {
      this.lose('the server confirmed a subscription before the authentication');
      return;
    }
    if (!this.#isSubscribed) this.#pingLater();
    this.#isSubscribed = true;
    this.#events.onSubscribed(isResumed);
  }

  #erred(reason: string): void {
    const text = `the server did not accept a message: ${this.#withoutKey(reason)}`;
    // Then nothing would come from this connection.
    if (this.#isSubscribed) this.#events.onFault(new PtnStreamError(text));
    else this.lose(text);
  }

  #socketEnded({ code, reason, cause }: SocketEnd): void {
    const isTerminal = isTerminalCloseCode(code);
    if (this.#refusal !== null || isTerminal) {
      this.#end({ kind: 'lost', error: this.#refusedError(isTerminal, code, reason) });
      return;
    }
    const text = cause?.message ?? reason;
    const detail = text === '' ? '' : `: ${this.#withoutKey(text)}`;
    this.#end({
      kind: 'lost',
      error: new PtnStreamError(`the connection was closed (code ${code})${detail}`, {
        closeCode: code,
        cause,
      }),
    });
  }

  #refusedError(isTerminal: boolean, closeCode?: number, reason = ''): PtnStreamError {
    const { message = reason, code } = this.#refusal ?? {};
    const text = message === '' ? `close code ${String(closeCode)}` : this.#withoutKey(message);
    return new PtnStreamError(`the server refused the connection: ${text}`, {
      isTerminal,
      code: code === undefined ? undefined : this.#withoutKey(code),
      ...(closeCode !== undefined && { closeCode }),
    });
  }

  /** A server that repeats what it was sent must not bring the key into a log. */
  #withoutKey(text: string): string {
    return text.replaceAll(this.#settings.apiKey, '***');
  }
}
