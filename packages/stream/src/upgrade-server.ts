import websocket from '@fastify/websocket';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ServerLimits } from '@ptn-api/runtime';
import { clientAddress, trustFunction } from '@ptn-api/access';
import {
  answerClientError,
  commonHeaders,
  createRequestId,
  isOfOtherSite,
  refuseMalformed,
  SCHEMAS_FOR_READERS,
  sendError,
  SocketLimits,
  UntrustedProxyWarning,
} from '@ptn-api/runtime';
import type { StreamServer } from './stream-server.ts';

/** How long a connection may take for its opening handshake, and how often that is checked. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const HANDSHAKE_CHECK_MS = 5000;

/** Of RFC 6455, and 16 bytes in base64. */
const WEBSOCKET_VERSION = '13';
const BEARER = /^bearer(?:[ \t]+(\S.*))?$/i;
const HANDSHAKE_KEY = /^[+/0-9A-Za-z]{22}==$/;

export type UpgradeLimits = Pick<
  ServerLimits,
  'connectionsPerAddress' | 'unauthenticated' | 'trustedProxies' | 'corsOrigins'
>;

const NO_LIMITS: UpgradeLimits = {
  connectionsPerAddress: 0,
  unauthenticated: Infinity,
  trustedProxies: [],
  corsOrigins: [],
};

/** Makes WebSockets of connections that were accepted elsewhere, whatever path they ask for. */
export class UpgradeServer {
  readonly #app: FastifyInstance;
  readonly #sockets: SocketLimits;

  private constructor(app: FastifyInstance, sockets: SocketLimits) {
    this.#app = app;
    this.#sockets = sockets;
  }

  static async start(
    streams: StreamServer,
    log: FastifyBaseLogger,
    limits: UpgradeLimits = NO_LIMITS,
    handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS,
  ): Promise<UpgradeServer> {
    const sockets = new SocketLimits({ limits, log });
    const app = Fastify({
      loggerInstance: log,
      logController: new LogController({ disableRequestLogging: true }),
      schemaController: SCHEMAS_FOR_READERS,
      trustProxy: trustFunction(limits.trustedProxies),
      genReqId: createRequestId,
      clientErrorHandler: answerClientError,
      // Any path is accepted, also one that is no path.
      rewriteUrl: () => '/',
      requestTimeout: handshakeTimeoutMs,
      http: {
        // A request without one is refused below, in JSON and with an id.
        requireHostHeader: false,
        headersTimeout: handshakeTimeoutMs,
        connectionsCheckingInterval: Math.min(HANDSHAKE_CHECK_MS, handshakeTimeoutMs),
      },
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
    const untrustedProxy = new UntrustedProxyWarning(log);
    app.addHook('onRequest', (request, reply, done) => {
      reply.headers({ ...commonHeaders(request.id), Connection: 'close' });
      untrustedProxy.look(request);
      done();
    });
    refuseMalformed(app, handshakeProblem);
    app.addHook('onRequest', (request, reply, done) => {
      if (!asksForWebSocket(request.raw)) demandUpgrade(reply);
      else if (mayOpen(request, limits.corsOrigins)) done();
      else sendError(reply, 'PTN_ERR_WS_ORIGIN');
    });
    // What the library refuses itself.
    app.websocketServer.on('wsClientError', (error, socket) => {
      answerClientError(error, socket);
    });
    app.route({
      method: 'GET',
      url: '/',
      handler: (_request, reply) => demandUpgrade(reply),
      // In the same turn as the handshake: what a client sends right behind it must find its listener.
      wsHandler: (socket, request) => {
        try {
          streams.accept(socket, {
            address: clientAddress(request),
            isOfOtherSite: isOfOtherSite(request, limits.corsOrigins),
            key: bearerKey(request.headers.authorization),
            onAuthenticated: () => {
              sockets.authenticated(request.raw.socket);
            },
          });
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
    return new UpgradeServer(app, sockets);
  }

  /** Serves a connection that was accepted elsewhere, paused, so that none of its bytes was read. */
  accept(socket: Socket): void {
    if (!this.#sockets.admit(socket)) return;
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

/**
 * The key in an Authorization header, empty where the header holds none; `undefined` where there is no header of that
 * scheme: proxies have others.
 */
function bearerKey(authorization: string | undefined): string | undefined {
  const match = BEARER.exec(authorization ?? '');
  return match === null ? undefined : (match[1] ?? '');
}

/**
 * Whether the page that opens a stream, if it is a page, may. A page of another site has nothing that its reader did not
 * give it: pages send keys in the first message, as they cannot set headers, and no cookie counts. So without a list every page may. With one, only its
 * pages may, and those of the server's own host, as its own page is on the REST port.
 */
function mayOpen(request: FastifyRequest, origins: readonly string[]): boolean {
  return origins.length === 0 || origins.includes('*') || !isOfOtherSite(request, origins);
}

/** What RFC 6455, section 4.2.1, asks of an opening handshake; what asks for none gets an answer that says what is spoken here. */
function handshakeProblem(request: IncomingMessage): string | undefined {
  if (!asksForWebSocket(request)) return undefined;
  const { httpVersion, headers } = request;
  if (httpVersion === '1.0') return 'HTTP version 1.0, and a stream needs 1.1';
  if (headers.host === '') return 'no Host header';
  if (!HANDSHAKE_KEY.test(headers['sec-websocket-key'] ?? ''))
    return 'no Sec-WebSocket-Key of 16 bytes in base64';
  return headers['sec-websocket-version'] === WEBSOCKET_VERSION
    ? undefined
    : `no Sec-WebSocket-Version: ${WEBSOCKET_VERSION}`;
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function demandUpgrade(reply: FastifyReply): FastifyReply {
  return sendError(
    reply.headers({ Connection: 'Upgrade, close', Upgrade: 'websocket' }),
    'PTN_ERR_WS_UPGRADE',
  );
}
