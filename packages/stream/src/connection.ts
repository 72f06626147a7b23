import type { StreamServerMessage } from '@ptn-api/protocol';
import { errorText } from '@ptn-api/protocol';
import type { WebSocket } from '@fastify/websocket';
import type { RawData } from 'ws';
import type { StreamLimits } from './limits.ts';
import { closeCodeOf, refusalMessage } from './refusal.ts';
import type { Refusal } from './refusal.ts';

export interface ConnectionHooks {
  readonly onMessage: (bytes: Buffer) => void;
  /** It sent something of that size. For how many ms no more is taken from it. */
  readonly onCost: (bytes: number) => number;
  /** Some of what was sent has left: there may be room for more. */
  readonly onTaken: () => void;
  /** It has taken nothing for too long and is closed. */
  readonly onStalled: () => void;
  /** Once, whoever ended it. */
  readonly onClosed: (closeCode: number) => void;
  /** The client broke the protocol, or the connection broke; it is closed next. */
  readonly onError: (error: Error) => void;
}

/** What was answered within the first was read at once; what took the second was not. */
const QUICK_MS = 1000;
const SLOW_MS = 3000;
/** Pings that wait for their answers; a client may give up on a server that sends more. */
const MAX_MARKS = 8;

/** One WebSocket: what waits to be sent to it is bounded, and it is let go when it is dead. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #limits: StreamLimits;
  readonly #hooks: ConnectionHooks;
  #isEnding = false;
  #endingMs = 0;
  /** When (monotonic, as all times here) it last gave a sign of life or took something. */
  #takenMs: number;
  #pingedMs: number;
  /** Bytes of messages that were sent, and up to where they are known to be read. */
  #sentBytes = 0;
  #readBytes = 0;
  /**
   * The pings without an answer yet, by number, with what was sent before each, and when. Answers come behind all that
   * was read before, so they say how far a client is: the system takes megabytes that a slow one reads minutes later.
   */
  readonly #marks = new Map<number, { readonly sentBytes: number; readonly sentMs: number }>();
  /**
   * From this much unread on it gets nothing more. A client that asks for a sign of life itself waits for the answer
   * behind all of it, and gives up after 20 s or so: so a slow one has little under way, and a quick one much.
   */
  #windowBytes: number;
  #markedBytes = 0;
  #lastMark = 0;
  /** Runs while it sends faster than it may. */
  #hold: NodeJS.Timeout | undefined;
  #holdUntilMs = 0;
  /** To be done for what it had sent by then: some came with what was read before. */
  #held: (() => void)[] = [];

  constructor(socket: WebSocket, { limits, ...hooks }: ConnectionHooks & { limits: StreamLimits }) {
    this.#socket = socket;
    this.#limits = limits;
    this.#hooks = hooks;
    this.#windowBytes = limits.minUnreadBytes;
    this.#takenMs = this.#pingedMs = performance.now();
    socket.on('message', (data) => {
      const bytes = bytesOf(data);
      this.#receive(bytes.length, () => {
        hooks.onMessage(bytes);
      });
    });
    // Not left to ws, which answers without end, also to one that reads nothing.
    socket.on('ping', (payload) => {
      this.#receive(payload.length, () => {
        socket.pong(payload, false, this.#onSent);
        this.#listenOnlyIfRoom();
      });
    });
    socket.on('pong', (payload) => {
      this.#answered(payload);
    });
    socket.on('error', hooks.onError);
    socket.once('close', (closeCode: number) => {
      // Whoever ended it: a replay to nobody would go on to the end of the log.
      this.#isEnding = true;
      this.#release();
      hooks.onClosed(closeCode);
    });
  }

  /** Nothing more is sent to it or taken from it. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** As much waits to be sent, or to be read, as may. */
  get isFull(): boolean {
    return this.#isUnsentFull || this.#sentBytes - this.#readBytes >= this.#windowBytes;
  }

  get #isUnsentFull(): boolean {
    return this.#socket.bufferedAmount >= this.#limits.maxUnsentBytes;
  }

  send(message: StreamServerMessage): void {
    this.sendText(Buffer.from(JSON.stringify(message)));
    this.#listenOnlyIfRoom();
  }

  /** @param text UTF-8; not copied, so that one buffer serves all connections. */
  sendText(text: Buffer): void {
    this.#socket.send(text, { binary: false }, this.#onSent);
    this.#sentBytes += text.length;
    this.#markIfDue();
  }

  /** Sends the reason and closes, after all that was sent before. */
  refuse(refusal: Refusal): void {
    if (this.#isEnding) return;
    this.send(refusalMessage(refusal));
    this.close(closeCodeOf(refusal));
  }

  close(code: number, reason = ''): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#endingMs = performance.now();
    this.#release();
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
    const [oldestMark] = this.#marks.values();
    if (this.#socket.bufferedAmount > 0 || this.#sentBytes - this.#readBytes >= this.#limits.markBytes) {
      // It may be slow: as long as it takes something, it is not dead.
      if (nowMs - this.#takenMs >= this.#limits.stallMs) this.#closeStalled();
    } else if (oldestMark !== undefined) {
      const { pongMs, stallMs } = this.#limits;
      // What lies before the ping is read first, a byte in a millisecond at least.
      const allowedMs = Math.min(pongMs + (oldestMark.sentBytes - this.#readBytes), stallMs);
      if (nowMs - Math.max(this.#pingedMs, this.#takenMs) >= allowedMs) this.terminate();
    } else if (nowMs - this.#pingedMs >= this.#limits.pingMs) this.#mark();
  }

  #markIfDue(): void {
    const isDue = this.#sentBytes - this.#markedBytes >= this.#limits.markBytes;
    if (isDue && this.#marks.size < MAX_MARKS) this.#mark();
  }

  #mark(): void {
    this.#lastMark += 1;
    this.#markedBytes = this.#sentBytes;
    this.#pingedMs = performance.now();
    this.#marks.set(this.#lastMark, { sentBytes: this.#sentBytes, sentMs: this.#pingedMs });
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(this.#lastMark % 2 ** 32);
    this.#socket.ping(payload);
  }

  /** A client may answer the newest of several pings alone. One that makes up answers gains nothing but orders. */
  #answered(payload: Buffer): void {
    if (this.#isEnding) return;
    const number = payload.length === 4 ? payload.readUInt32BE() : this.#lastMark;
    this.#takenMs = performance.now();
    let waitedMs: number | undefined;
    for (const [mark, { sentBytes, sentMs }] of this.#marks) {
      if (mark % 2 ** 32 > number) break;
      this.#marks.delete(mark);
      this.#readBytes = sentBytes;
      waitedMs = this.#takenMs - sentMs;
    }
    if (waitedMs !== undefined) this.#adjustWindow(waitedMs);
    // Nobody asked for it.
    else this.#holdFor(this.#hooks.onCost(payload.length));
    // What was sent while no further ping could be.
    this.#markIfDue();
    this.#hooks.onTaken();
  }

  #adjustWindow(waitedMs: number): void {
    const { minUnreadBytes, maxUnreadBytes } = this.#limits;
    if (waitedMs <= QUICK_MS) this.#windowBytes = Math.min(2 * this.#windowBytes, maxUnreadBytes);
    if (waitedMs >= SLOW_MS) this.#windowBytes = Math.max(this.#windowBytes / 2, minUnreadBytes);
  }

  #closeStalled(): void {
    this.#hooks.onStalled();
    const refusal: Refusal = { code: 'PTN_ERR_WS_TOO_SLOW' };
    // As a reason and not as a message: there is enough that it has not read.
    const seconds = this.#limits.stallMs / 1000;
    this.close(closeCodeOf(refusal), errorText(refusal.code, { seconds }));
  }

  readonly #onSent = (error?: Error | null): void => {
    if (error) return; // The connection is closed, which `onClosed` reports.
    this.#takenMs = performance.now();
    this.#listenIfRoom();
    this.#hooks.onTaken();
  };

  #receive(bytes: number, act: () => void): void {
    this.#takenMs = performance.now();
    if (this.#isEnding) return;
    if (this.#hold !== undefined) {
      this.#held.push(() => {
        this.#receive(bytes, act);
      });
      return;
    }
    act();
    this.#holdFor(this.#hooks.onCost(bytes));
  }

  /** Nothing is taken from it meanwhile; what came already is kept. */
  #holdFor(ms: number): void {
    if (ms <= 0 || this.#isEnding) return;
    this.#holdUntilMs = performance.now() + ms;
    if (this.#hold !== undefined) return;
    this.#socket.pause();
    this.#hold = setTimeout(() => {
      this.#hold = undefined;
      this.#holdFor(this.#holdUntilMs - performance.now());
      while (this.#mayReceive) {
        const receive = this.#held.shift();
        if (receive === undefined) break;
        receive();
      }
      this.#listenIfRoom();
    }, ms);
  }

  /** A getter, as what it says changes with each message. */
  get #mayReceive(): boolean {
    return this.#hold === undefined && !this.#isEnding;
  }

  #release(): void {
    clearTimeout(this.#hold);
    this.#hold = undefined;
    this.#held = [];
  }

  #listenIfRoom(): void {
    if (this.#socket.isPaused && this.#hold === undefined && !this.#isUnsentFull) this.#socket.resume();
  }

  /** One that sends without reading the answers is not listened to until it does. */
  #listenOnlyIfRoom(): void {
    if (this.#isUnsentFull && !this.#socket.isPaused) this.#socket.pause();
  }
}

/** With `binaryType` as it is, ws gives one buffer. */
function bytesOf(data: RawData): Buffer {
  if (!Buffer.isBuffer(data)) throw new Error('a message came as something else than a buffer');
  return data;
}
