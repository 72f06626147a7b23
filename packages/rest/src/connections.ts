import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerHalfClosed } from '@ptn-api/runtime';

/** How long a connection that waits for its next request may still send one, once draining has begun. */
const IDLE_GRACE_MS = 2000;
const IDLE_CHECK_MS = 100;

/**
 * The connections of a server that does not listen itself: they are accepted elsewhere and handed in. Knows which are
 * answering, which Node's own `closeIdleConnections` does not: it cuts an answer whose last write is under way.
 */
export class Connections {
  readonly #server: Server;
  /** The answers under way on every open connection. */
  readonly #open = new Map<Socket, Set<ServerResponse>>();
  #isDraining = false;
  #onClosed: (() => void) | undefined;

  constructor(server: Server) {
    this.#server = server;
    server.prependListener('connection', (socket: Socket) => {
      this.#track(socket);
    });
    server.prependListener('request', (request, response) => {
      this.#begin(request.socket, response);
    });
    answerHalfClosed(server);
    // Node sets up its timeouts for headers and requests when a server begins to listen, which this one never does.
    server.emit('listening');
  }

  get openCount(): number {
    return this.#open.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Serves a connection that was accepted elsewhere, paused, so that none of its bytes was read. */
  accept(socket: Socket): void {
    // A listening server sets this itself: answers are written as a whole and must not wait for more.
    socket.setNoDelay(true);
    // The same as for the server: of a socket that was handed over the system's default holds.
    socket.allowHalfOpen = true;
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /**
   * Lets every connection come to its end: from now on answers carry `Connection: close`; connections between two
   * requests may send one more within a grace and are then closed; answers under way are finished.
   * Resolves when all are closed, or after `withinMs`, when what is left is cut.
   */
  async drain(withinMs: number, idleGraceMs = IDLE_GRACE_MS): Promise<void> {
    this.#isDraining = true;
    for (const responses of this.#open.values()) responses.forEach(closeAfter);
    const idleTimers: NodeJS.Timeout[] = [];
    let deadline: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onClosed = resolve;
      deadline = setTimeout(resolve, withinMs);
      const closeIdle = () => {
        this.#closeIdle();
      };
      // Again and again: an answer whose headers went out before draining leaves its connection open.
      idleTimers.push(
        setTimeout(
          () => idleTimers.push(setInterval(closeIdle, IDLE_CHECK_MS)),
          Math.min(idleGraceMs, withinMs),
        ),
      );
      this.#resolveIfClosed();
    });
    clearTimeout(deadline);
    idleTimers.forEach(clearTimeout);
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #track(socket: Socket): void {
    this.#open.set(socket, new Set());
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#resolveIfClosed();
    });
  }

  #begin(socket: Socket, response: ServerResponse): void {
    if (this.#isDraining) closeAfter(response);
    const responses = this.#open.get(socket);
    responses?.add(response);
    response.once('close', () => responses?.delete(response));
  }

  #closeIdle(): void {
    for (const [socket, responses] of this.#open) {
      if (responses.size === 0) socket.destroy();
    }
  }

  #resolveIfClosed(): void {
    if (this.#open.size === 0) this.#onClosed?.();
  }
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
