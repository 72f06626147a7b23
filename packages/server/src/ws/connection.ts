import type { StreamServerMessage } from '@ptn-api/protocol';
import { errorText } from '@ptn-api/protocol';
import type { WebSocket } from '@fastify/websocket';
import type { RawData } from 'ws';
import type { StreamLimits } from './limits.ts';
import { closeCodeOf, refusalMessage } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export interface ConnectionHooks {
  readonly onMessage: (bytes: Buffer) => void;
  /** Some of what was sent has left: there may be room for more. */
  readonly onTaken: () => void;
  /** It has taken nothing for too long and is closed. */
  readonly onStalled: () => void;
  /** Once, whoever ended it. */
  readonly onClosed: (closeCode: number) => void;
  /** The client broke the protocol, or the connection broke; it is closed next. */
  readonly onError: (error: Error) => void;
}

/** One WebSocket: what waits to be sent to it is bounded, and it is let go when it is dead. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #limits: StreamLimits;
  readonly #hooks: ConnectionHooks;
  #isEnding = false;
  #endingMs = 0;
  // By a clock that nobody sets, as all spans of time here.
  #takenMs: number;
  #pingedMs: number;
  #awaitsPong = false;

  constructor(socket: WebSocket, { limits, ...hooks }: ConnectionHooks & { limits: StreamLimits }) {
    this.#socket = socket;
    this.#limits = limits;
    this.#hooks = hooks;
    this.#takenMs = this.#pingedMs = performance.now();
    socket.on('message', (data) => {
      this.#awaitsPong = false;
      if (!this.#isEnding) hooks.onMessage(bytesOf(data));
    });
    // Not left to ws, which answers without end, also to one that reads nothing.
    socket.on('ping', (payload) => {
      this.#awaitsPong = false;
      if (this.#isEnding) return;
      socket.pong(payload, false, this.#onSent);
      this.#listenOnlyIfRoom();
    });
    socket.on('pong', () => (this.#awaitsPong = false));
    socket.on('error', hooks.onError);
    socket.once('close', hooks.onClosed);
  }

  /** Nothing more is sent to it or taken from it. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** As much waits to be sent as may. */
  get isFull(): boolean {
    return this.#socket.bufferedAmount >= this.#limits.maxUnsentBytes;
  }

  send(message: StreamServerMessage): void {
    this.sendText(Buffer.from(JSON.stringify(message)));
    this.#listenOnlyIfRoom();
  }

  /** @param text UTF-8; not copied, so that one buffer serves all connections. */
  sendText(text: Buffer): void {
    this.#socket.send(text, { binary: false }, this.#onSent);
  }

  /** Tells why and closes, after all that was sent before. */
  refuse(refusal: Refusal): void {
    if (this.#isEnding) return;
    this.send(refusalMessage(refusal));
    this.close(closeCodeOf(refusal));
  }

  close(code: number, reason = ''): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#endingMs = performance.now();
    // A paused socket would not read the answer to the closing.
    if (this.#socket.isPaused) this.#socket.resume();
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#isEnding = true;
    this.#socket.terminate();
  }

  /** To be called again and again: asks for signs of life and ends what gives none. */
  check(): void {
    const nowMs = performance.now();
    if (this.#isEnding) {
      if (nowMs - Math.max(this.#endingMs, this.#takenMs) >= this.#limits.closingMs) this.terminate();
      return;
    }
    if (this.#socket.bufferedAmount > 0) {
      // It cannot have seen a ping yet, which would lie behind all this.
      if (nowMs - this.#takenMs >= this.#limits.stallMs) this.#closeStalled();
      return;
    }
    this.#takenMs = nowMs;
    if (this.#awaitsPong) {
      if (nowMs - this.#pingedMs >= this.#limits.pongMs) this.terminate();
    } else if (nowMs - this.#pingedMs >= this.#limits.pingMs) {
      this.#pingedMs = nowMs;
      this.#awaitsPong = true;
      this.#socket.ping();
    }
  }

  #closeStalled(): void {
    this.#hooks.onStalled();
    const refusal: Refusal = { code: 'PTN_ERR_WS_TOO_SLOW' };
    // As a reason and not as a message: there is enough that it has not read.
    const seconds = this.#limits.stallMs / 1000;
    this.close(closeCodeOf(refusal), errorText(refusal.code, { seconds }));
  }

  readonly #onSent = (error?: Error | null): void => {
    if (error) return; // The connection is closed, which `onClosed` tells.
    this.#takenMs = performance.now();
    if (this.#socket.isPaused && !this.isFull) this.#socket.resume();
    this.#hooks.onTaken();
  };

  /** One that sends without reading the answers is not listened to until it does. */
  #listenOnlyIfRoom(): void {
    if (this.isFull && !this.#socket.isPaused) this.#socket.pause();
  }
}

/** With `binaryType` as it is, ws gives one buffer. */
function bytesOf(data: RawData): Buffer {
  if (!Buffer.isBuffer(data)) throw new Error('a message came as something else than a buffer');
  return data;
}
