import { ERRORS, errorText } from '@ptn-api/protocol';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { StreamServer } from './stream-server.ts';

/** How long a connection may take for its opening handshake, and how often that is looked at. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const HANDSHAKE_CHECK_MS = 5000;

/**
 * Makes WebSockets of connections that were accepted elsewhere, whatever path they ask for.
 *
 * Of ws itself: there is one route and no HTTP behind it, and closing is the stream server's to do.
 */
export class UpgradeServer {
  readonly #server: Server;

  constructor(streams: StreamServer) {
    const sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: streams.limits.maxMessageBytes,
    });
    this.#server = createServer({
      headersTimeout: HANDSHAKE_TIMEOUT_MS,
      requestTimeout: HANDSHAKE_TIMEOUT_MS,
      connectionsCheckingInterval: HANDSHAKE_CHECK_MS,
    });
    this.#server.on('request', (_request, response) => {
      const { httpStatus } = ERRORS.PTN_ERR_WS_UPGRADE;
      response.writeHead(httpStatus, {
        'Content-Type': 'application/json',
        Connection: 'close',
        Upgrade: 'websocket',
      });
      response.end(JSON.stringify({ error: errorText('PTN_ERR_WS_UPGRADE') }));
    });
    this.#server.on('upgrade', (request, socket, head) => {
      // In the same turn as the handshake: what a client sends right behind it must find its listener.
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        streams.accept(webSocket);
      });
    });
    // Node sets up its timeouts for headers and requests when a server begins to listen, which this one never does.
    this.#server.emit('listening');
  }

  /** Serves a connection that was accepted elsewhere, paused, so that none of its bytes was read. */
  accept(socket: Socket): void {
    // A listening server sets this itself: orders must not wait for more.
    socket.setNoDelay(true);
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** Ends the connections that have made no WebSocket yet. */
  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
