import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Logger } from 'pino';
import type { OrderStream } from '../orders/order-stream.ts';
import { endSocket, IngestConnection } from './ingest-connection.ts';
import { refusal } from './ingest-line.ts';

const MAX_CONNECTIONS = 8;
/** What a socket address holds on Linux. A longer path would be cut, and another one opened. */
const PATH_LIMIT_BYTES = 107;
/** Everyone but the owner is kept out from the first moment. */
const OWNER_ONLY_UMASK = 0o177;
/** How long senders have to take their last answers. */
const CLOSE_WITHIN_MS = 500;

export interface IngestSocketOptions {
  /** Where the socket is made. */
  readonly path: string;
  /** Where the orders go. Must have begun. */
  readonly orders: OrderStream;
  readonly log: Logger;
}

/**
 * The Unix domain socket on which the validator may hand in positions at the moment of an order, without the way over
 * the file system. Only a faster way: orders come from the files all the same, so that the server goes on without it.
 */
export class IngestSocket {
  readonly #options: IngestSocketOptions;
  readonly #connections = new Set<IngestConnection>();
  #server: Server | null = null;

  constructor(options: IngestSocketOptions) {
    this.#options = options;
  }

  /** Opens the socket; where that cannot be, a warning says why. What a dead server left at the path is replaced. */
  async open(): Promise<void> {
    const { path, log } = this.#options;
    const sizeBytes = Buffer.byteLength(path);
    if (sizeBytes > PATH_LIMIT_BYTES) {
      log.warn(
        { event: 'no-ingest-socket', path },
        `there is no ingest socket: its path has ${sizeBytes} bytes and may have ${PATH_LIMIT_BYTES}. Orders come from the files; pass a shorter --state-dir to have it`,
      );
      return;
    }
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#accept(socket);
    });
    try {
      removeSocket(path);
      await listen(server, path);
    } catch (error) {
      log.warn(
        { event: 'no-ingest-socket', path, err: error },
        'there is no ingest socket: it cannot be made. Orders come from the files',
      );
      return;
    }
    server.on('error', (error) => {
      log.error({ event: 'ingest-failed', err: error }, 'a connection of the ingest socket was not accepted');
    });
    this.#server = server;
    log.info({ event: 'ingest-socket', path }, 'orders may be handed in on the ingest socket');
  }

  #accept(socket: Socket): void {
    const { orders, log } = this.#options;
    // A sender that is gone is told of by `close`, too.
    socket.on('error', (error) => {
      log.debug({ event: 'ingest-connection-error', err: error }, 'a connection of the ingest socket broke');
    });
    if (this.#connections.size >= MAX_CONNECTIONS) {
      const refused = refusal('PTN_ERR_INGEST_MAX_CONNECTIONS', { limit: MAX_CONNECTIONS });
      log.warn({ event: 'ingest-refused', code: refused.code }, refused.message);
      socket.write(`${JSON.stringify(refused)}\n`);
      void endSocket(socket);
      return;
    }
    const connection = new IngestConnection(socket, orders);
    this.#connections.add(connection);
    connection.ended
      .catch((error: unknown) => {
        log.error({ event: 'ingest-failed', err: error }, 'what was handed in could not be taken');
      })
      .finally(() => this.#connections.delete(connection));
  }

  /** Takes no more connections and lines. The file is gone when this returns, before another server may make its own. */
  stopReading(): void {
    this.#server?.close();
    this.#server = null;
    for (const connection of this.#connections) connection.stopReading();
  }

  /** Resolves when the last answers were taken, or after half a second. */
  async close(): Promise<void> {
    this.stopReading();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, CLOSE_WITHIN_MS);
    await Promise.allSettled([...this.#connections].map(({ ended }) => ended));
    clearTimeout(timer);
  }
}

/** @throws Error when there is something else than a socket. */
function removeSocket(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error('something else than a socket is there');
  rmSync(path);
}

async function listen(server: Server, path: string): Promise<void> {
  const umask = process.umask(OWNER_ONLY_UMASK);
  try {
    // The file is made by the call, not later. `exclusive`: by this process, whoever started it.
    server.listen({ path, exclusive: true });
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
}
