import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { keyDigest } from '@ptn-api/access';
import type { KeyGrant } from '@ptn-api/access';
import type { KeyTier } from '@ptn-api/protocol';
import { pino } from 'pino';
import type { Test } from 'tap';
import { WebSocket } from 'ws';
import type { OrderLogReader, OrderLogState, OrderMessage } from '../../order-log/dist/order-log.js';
import type { ConnectionsTransaction } from '../dist/connection-registry.js';
import type { StreamLimits } from '../dist/limits.js';
import { StreamKeys } from '../dist/stream-keys.js';
import { StreamServer } from '../dist/stream-server.js';
import type { StreamServerOptions } from '../dist/stream-server.js';
import { UpgradeServer } from '../dist/upgrade-server.js';
import type { UpgradeLimits } from '../dist/upgrade-server.js';

const DEADLINE_MS = 30_000;

export function grant(key: string, tier: KeyTier, more: Partial<KeyGrant> = {}): KeyGrant {
  return { sha256: keyDigest(key), userId: `user-${key}`, tier, ...more };
}

// --- order log ------------------------------------------------------------------------------------------------------

export interface OrderDraft {
  readonly hotkey?: string;
  readonly tradePairId?: string;
  readonly timestampMs?: number;
  /** JSON text of what stands under `data`. */
  readonly content?: string;
}

export class MemoryLog implements OrderLogReader {
  epoch = 'epoch-1';
  readonly #messages: OrderMessage[] = [];
  #last: number;
  /** Calls of `read` so far. */
  readCount = 0;

  constructor(last = 0) {
    this.#last = last;
  }

  append(...drafts: OrderDraft[]): void {
    for (const { hotkey = 'miner-a', tradePairId = 'BTCUSD', timestampMs = 1, content = '{}' } of drafts) {
      const sequence = (this.#last += 1);
      const bytes = Buffer.from(`{"sequence":${sequence},"timestamp":${timestampMs},"data":${content}}`);
      this.#messages.push({ sequence, hotkey, tradePairId, timestampMs, bytes });
    }
  }

  appendMany(count: number, draft: OrderDraft = {}): void {
    for (let order = 0; order < count; order++) this.append(draft);
  }

  /** Orders up to this one are no longer there. */
  prune(through: number): void {
    this.#messages.splice(0, this.#messages.filter(({ sequence }) => sequence <= through).length);
  }

  state(): OrderLogState {
    return {
      epoch: this.epoch,
      oldest: this.#messages[0]?.sequence ?? this.#last + 1,
      last: this.#last,
    };
  }

  read(after: number, limit: number): OrderMessage[] {
    this.readCount += 1;
    const oldest = this.state().oldest;
    const start = Math.max(0, after + 1 - oldest);
    return this.#messages.slice(start, start + limit);
  }

  before(sinceMs: number): number {
    const first = this.#messages.find(({ timestampMs }) => timestampMs >= sinceMs);
    return (first?.sequence ?? this.#last + 1) - 1;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

// --- server ---------------------------------------------------------------------------------------------------------

export interface StreamOptions {
  /** `undefined`: there is none yet. */
  readonly log?: MemoryLog | undefined;
  readonly grants?: readonly KeyGrant[];
  readonly limits?: Partial<StreamLimits>;
  readonly failures?: StreamServerOptions['failures'];
  readonly upgradeLimits?: UpgradeLimits;
  readonly handshakeTimeoutMs?: number;
  readonly pid?: number;
  readonly publish?: (transaction: ConnectionsTransaction) => void;
  readonly now?: () => number;
}

export interface RunningStream {
  readonly port: number;
  readonly streams: StreamServer;
  readonly upgrades: UpgradeServer;
  readonly keys: StreamKeys;
  /** Lines of the server's log. */
  readonly logged: string[];
  /** Gives the server an order log, or another one. */
  readonly setLog: (log: MemoryLog) => void;
  /** An authenticated client; `key-tier100` unless told otherwise. */
  readonly client: (authentication?: object) => Promise<Client>;
  /** A client that has said nothing. */
  readonly connect: (path?: string, headers?: Readonly<Record<string, string>>) => Promise<Client>;
}

export const KEY = 'key-tier100';

export async function serve(t: Test, options: StreamOptions = {}): Promise<RunningStream> {
  const keys = new StreamKeys();
  keys.replace(options.grants ?? [grant(KEY, 100)]);
  const logged: string[] = [];
  let reader = 'log' in options ? options.log : new MemoryLog();
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  const streams = new StreamServer({
    reader: () => reader,
    keys,
    log,
    pid: options.pid ?? 1,
    publish: options.publish ?? (() => undefined),
    ...(options.failures && { failures: options.failures }),
    ...(options.now && { now: options.now }),
    // The orders of tests are of 1970.
    limits: { legacyReplayMs: Infinity, ...options.limits },
  });
  const upgrades = await UpgradeServer.start(streams, log, options.upgradeLimits, options.handshakeTimeoutMs);
  // As the supervisor does: accepts connections without reading from them and hands them over.
  const acceptor = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    upgrades.accept(socket);
  });
  acceptor.listen(0, '127.0.0.1');
  await once(acceptor, 'listening');
  const { port } = acceptor.address() as AddressInfo;
  const clients: Client[] = [];
  t.teardown(async () => {
    for (const client of clients) client.socket.terminate();
    await streams.drain(1000);
    upgrades.close();
    acceptor.close();
  });
  const connect = async (path = '/', headers: Readonly<Record<string, string>> = {}) => {
    const client = new Client(`ws://127.0.0.1:${port}${path}`, headers);
    clients.push(client);
    await once(client.socket, 'open');
    return client;
  };
  return {
    port,
    streams,
    upgrades,
    keys,
    logged,
    setLog: (log) => {
      reader = log;
      streams.ordersChanged();
    },
    connect,
    client: async (authentication = {}) => {
      const client = await connect();
      await client.ask({ api_key: KEY, ...authentication });
      return client;
    },
  };
}

// --- client ---------------------------------------------------------------------------------------------------------

export type Json = Record<string, unknown>;

export class Client {
  readonly socket: WebSocket;
  readonly received: Json[] = [];
  /** Of the closing by the server. */
  closeCode: number | undefined;
  closeReason = '';
  readonly #waiting = new Set<() => void>();

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(url, { maxPayload: 16 * 1024 * 1024, headers });
    this.socket.on('message', (text: Buffer, isBinary) => {
      if (isBinary) throw new Error('the server sent a binary frame');
      this.received.push(JSON.parse(text.toString('utf8')) as Json);
      this.#wake();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', (code, reason) => {
      this.closeCode = code;
      this.closeReason = reason.toString('utf8');
      this.#wake();
    });
  }

  send(message: unknown): void {
    this.socket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  /** The next message that comes after this one was sent. */
  async ask(message: unknown): Promise<Json> {
    const count = this.received.length;
    this.send(message);
    await this.until(() => this.received.length > count || this.closeCode !== undefined);
    const answer = this.received[count];
    if (answer === undefined) throw new Error(`closed with ${this.closeCode} instead of an answer`);
    return answer;
  }

  async subscribe(message: object = { all: true }): Promise<Json> {
    return this.ask({ type: 'subscribe', ...message });
  }

  /** Every order received so far, in order, out of batches too. */
  orders(): Json[] {
    return this.received.flatMap((message) => {
      if (message['type'] === 'batch') return message['messages'] as Json[];
      return 'sequence' in message ? [message] : [];
    });
  }

  sequences(): number[] {
    return this.orders().map((order) => order['sequence'] as number);
  }

  async until(condition: () => boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`waited in vain; received: ${JSON.stringify(this.received).slice(0, 2000)}`));
      }, DEADLINE_MS);
    });
    while (!condition()) {
      await Promise.race([new Promise<void>((resolve) => this.#waiting.add(resolve)), expired]);
    }
    clearTimeout(timer);
    // Without a listener the rejection of a race that was won would be unhandled.
    expired.catch(() => undefined);
  }

  async closed(): Promise<number> {
    await this.until(() => this.closeCode !== undefined);
    return this.closeCode ?? 0;
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
