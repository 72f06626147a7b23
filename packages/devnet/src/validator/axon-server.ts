import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerHalfClosed } from '@ptn-api/runtime';
import type { Axon } from './axon.ts';

/** Signals have some hundred bytes; nobody needs to make the validator hold more. */
const MAX_BODY_BYTES = 256 * 1024;
const MAX_DISCARDED_BYTES = 16 * 1024 * 1024;
/** Miners wait 12 s for an answer. */
const REQUEST_TIMEOUT_MS = 12_000;
/** The interval at which connections are checked for being too slow. */
const CHECK_EVERY_MS = 2000;
/** Python's server closes a connection that was idle for this long. */
const KEEP_ALIVE_MS = 5000;
const MAX_CONNECTIONS = 1000;
/** Requests that are on their way when the server closes have this long. */
const CLOSE_WITHIN_MS = 2000;

/** The body, or undefined where it is too large. @throws Error where the client goes away, or sends without an end. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // What is too large is read to its end all the same: whoever still sends would not see the answer.
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
    if (length > MAX_DISCARDED_BYTES) throw new Error('the body has no end');
  }
  return length > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks);
}

const TOO_LARGE = JSON.stringify({
  message: `The body of a request may have ${MAX_BODY_BYTES} bytes at most`,
});

/** The port at which miners reach a validator: plain HTTP, as the network's protocol has it. */
export class AxonServer {
  readonly #server: Server;

  /** @param onFault called with what should never happen; the connection is closed then, and the next request comes. */
  constructor(axon: Axon, onFault: (error: unknown) => void) {
    this.#server = createServer({
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    answerHalfClosed(this.#server);
    this.#server.on('request', (request, response) => {
      this.#answer(axon, request, response).catch((error: unknown) => {
        response.destroy();
        onFault(error);
      });
    });
  }

  /** @throws what the system says, such as that the port is taken. */
  async listen(host: string, port: number): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no more requests; those on their way are answered. */
  async close(): Promise<void> {
    const late = setTimeout(() => {
      this.#server.closeAllConnections();
    }, CLOSE_WITHIN_MS);
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeIdleConnections();
    });
    clearTimeout(late);
  }

  async #answer(axon: Axon, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body: Buffer | undefined;
    try {
      body = await readBody(request);
    } catch {
      // Whoever asked has gone away, or was too slow: there is nobody to answer.
      response.destroy();
      return;
    }
    if (body === undefined) {
      response.writeHead(413, { 'content-type': 'application/json', connection: 'close' });
      response.end(TOO_LARGE);
      return;
    }
    const { method = '', url = '', headers } = request;
    const answer = axon.answer({ method, path: url, headers, body });
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }
}
