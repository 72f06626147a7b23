import websocket from '@fastify/websocket';
import { ERRORS, errorText } from '@ptn-api/protocol';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply } from 'fastify';
import type { Socket } from 'node:net';
import type { StreamServer } from './stream-server.ts';

/** How long a connection may take for its opening handshake, and how often that is looked at. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const HANDSHAKE_CHECK_MS = 5000;

/** Makes WebSockets of connections that were accepted elsewhere, whatever path they ask for. */
export class UpgradeServer {
  readonly #app: FastifyInstance;

  private constructor(app: FastifyInstance) {
    this.#app = app;
  }

  static async start(streams: StreamServer, log: FastifyBaseLogger): Promise<UpgradeServer> {
    const app = Fastify({
      loggerInstance: log,
      logController: new LogController({ disableRequestLogging: true }),
      // Any path is accepted, also one that is no path.
      rewriteUrl: () => '/',
      requestTimeout: HANDSHAKE_TIMEOUT_MS,
      http: { headersTimeout: HANDSHAKE_TIMEOUT_MS, connectionsCheckingInterval: HANDSHAKE_CHECK_MS },
    });
    await app.register(websocket, {
      options: {
        clientTracking: false,
        perMessageDeflate: false,
        autoPong: false,
        maxPayload: streams.limits.maxMessageBytes,
      },
      // A client's errors are the connection's to hear: ws closes it with the code that belongs to them, which an
      // end from here would cut off.
      errorHandler: () => undefined,
      // Closing clients is the stream server's to do, with a notice and a code.
      preClose: (done) => {
        done();
      },
    });
    app.route({
      method: 'GET',
      url: '/',
      handler: (_request, reply) => demandUpgrade(reply),
      // In the same turn as the handshake: what a client sends right behind it must find its listener.
      wsHandler: (socket) => {
        try {
          streams.accept(socket);
        } catch (error) {
          log.error({ event: 'ws-accept-failed', err: error }, 'a client could not be taken on');
          socket.terminate();
        }
      },
    });
    app.setNotFoundHandler((_request, reply) => demandUpgrade(reply));
    await app.ready();
    // Node sets up its timeouts for headers and requests when a server begins to listen, which this one never does.
    app.server.emit('listening');
    return new UpgradeServer(app);
  }

  /** Serves a connection that was accepted elsewhere, paused, so that none of its bytes was read. */
  accept(socket: Socket): void {
    // A listening server sets this itself: orders must not wait for more.
    socket.setNoDelay(true);
    this.#app.server.emit('connection', socket);
    socket.resume();
  }

  /** Ends the connections that have made no WebSocket yet. */
  close(): void {
    this.#app.server.closeAllConnections();
  }
}

function demandUpgrade(reply: FastifyReply): FastifyReply {
  return reply
    .code(ERRORS.PTN_ERR_WS_UPGRADE.httpStatus)
    .headers({ Connection: 'close', Upgrade: 'websocket' })
    .send({ error: errorText('PTN_ERR_WS_UPGRADE') });
}
