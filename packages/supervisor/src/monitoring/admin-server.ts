import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { answerHalfClosed } from '@ptn-api/runtime';
import type { Logger } from 'pino';

/** Never another one: who may log in to the machine may see it, and nobody else. */
const HOST = '127.0.0.1';
/** A port that is taken is tried again after this time; its holder may end. */
const RETRY_MS = 2000;
/** Of a server that takes over: its predecessor lets go of the port when it has drained. */
const TAKEOVER_RETRY_MS = 50;
/** That takes no longer than this; beyond it something else holds the port. */
const TAKEOVER_WITHIN_MS = 60_000;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 64;
const LOOPBACK_NAME = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i;

export interface AdminPage {
  readonly contentType: string;
  readonly read: () => Promise<string>;
}

/** Answers the operator of the machine, over loopback alone. It never keeps the server from serving. */
export class AdminServer {
  readonly #log: Logger;
  readonly #port: number;
  readonly #pages: Readonly<Record<string, AdminPage>>;
  readonly #server: Server;
  /** The oldest first. */
  readonly #open = new Set<Socket>();
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param pages by their paths. */
  constructor(log: Logger, port: number, pages: Readonly<Record<string, AdminPage>>) {
    this.#log = log;
    this.#port = port;
    this.#pages = pages;
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      void this.#answer(request, response);
    });
    answerHalfClosed(this.#server);
    // An idle one makes room, so that a crowd of them leaves the operator a way in.
    this.#server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      const [oldest] = this.#open;
      if (this.#open.size > MAX_CONNECTIONS) oldest?.destroy();
    });
  }

  /**
   * Resolves when the port is open, or was found to be taken; then it is tried on. That is logged as an error, unless
   * this server takes over from another one, which still holds the port.
   */
  async open(isTakeover = false): Promise<void> {
    const fault = await this.#listen();
    if (fault === undefined) return;
    if (isTakeover) {
      this.#log.info(
        { event: 'admin-port-waiting', port: this.#port },
        'metrics and status are answered by the server that this one replaces until it has ended',
      );
      this.#tryAgain(TAKEOVER_RETRY_MS, performance.now() + TAKEOVER_WITHIN_MS);
    } else {
      this.#reportFault(fault);
      this.#tryAgain(RETRY_MS);
    }
  }

  #reportFault(fault: Error): void {
    const port = this.#port;
    this.#log.error(
      { event: 'admin-port-failed', port, err: fault },
      `the admin port ${port} cannot be opened and is tried again: choose another with --admin-port, or off`,
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    if (!this.#server.listening) return;
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  /** @param reportAtMs when (monotonic) a fault that was expected is one to report. */
  #tryAgain(delayMs: number, reportAtMs = Infinity): void {
    this.#retry = setTimeout(() => {
      void this.#listen().then((fault) => {
        if (fault === undefined || this.#isClosed) return;
        if (performance.now() < reportAtMs) {
          this.#tryAgain(delayMs, reportAtMs);
          return;
        }
        this.#reportFault(fault);
        this.#tryAgain(RETRY_MS);
      });
    }, delayMs);
  }

  /** @returns why the port could not be opened. */
  async #listen(): Promise<Error | undefined> {
    const listening = once(this.#server, 'listening');
    // Exclusive: in pm2's cluster mode the old server and the new one would share the port and answer in turns.
    this.#server.listen({ host: HOST, port: this.#port, exclusive: true });
    try {
      await listening;
    } catch (error) {
      return error as Error;
    }
    // Closed while it was being opened.
    if (this.#isClosed) {
      this.#server.close();
      return undefined;
    }
    this.#server.on('error', (err) => {
      this.#log.error({ event: 'admin-fault', err }, 'the admin port fails');
    });
    const { port } = this.#server.address() as AddressInfo;
    this.#log.info({ event: 'listening-admin', host: HOST, port }, `metrics and status at ${HOST}:${port}`);
    return undefined;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    // A web page whose name was made to lead here must not read along through the operator's browser.
    if (!LOOPBACK_NAME.test(request.headers.host ?? '')) {
      end(response, 403, `ask for ${HOST} or localhost`);
      return;
    }
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const page = Object.hasOwn(this.#pages, path) ? this.#pages[path] : undefined;
    if (page === undefined) {
      end(response, 404, `nothing is there; there are ${Object.keys(this.#pages).join(' and ')}`);
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      end(response, 405, 'only GET and HEAD are answered');
    } else {
      try {
        const text = await page.read();
        end(response, 200, text, page.contentType);
      } catch (error) {
        this.#log.error({ event: 'admin-fault', path, err: error }, 'a page of the admin port failed');
        end(response, 500, 'it could not be made: the log says why');
      }
    }
  }
}

function end(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.statusCode = status;
  response.setHeader('Content-Type', contentType);
  response.end(text.endsWith('\n') ? text : `${text}\n`);
}
