import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';
import type { ServerLimits } from '@ptn-api/runtime';
import type { AddressLimit } from '@ptn-api/access';
import { trustFunction } from '@ptn-api/access';
import {
  answerClientError,
  answerFault,
  commonHeaders,
  createRequestId,
  refuseMalformed,
  SCHEMAS_FOR_READERS,
  sendError,
  UntrustedProxyWarning,
} from '@ptn-api/runtime';
import type { OrderLogs } from './order-log-access.ts';
import { answerInTurn } from './answer-turns.ts';
import { ByteBudget } from './byte-budget.ts';
import { Downloads } from './downloads.ts';
import { forwardTo, notForwarded } from './forwarding/forward.ts';
import type { ForwardTarget } from './forwarding/forward.ts';
import { guardWith, ignoreOtherContentTypes } from './access.ts';
import { allowOrigins, corsHeaders } from './cors.ts';
import { observeRequests } from './request-metrics.ts';
import type { RequestMetricsOptions } from './request-metrics.ts';
import { refuseUnderPressure } from './pressure.ts';
import type { PressureLimits } from './pressure.ts';
import { limitRates } from './rate-limit.ts';
import type { RequestCounts } from './request-counts.ts';
import { RecentBodies } from './recent-bodies.ts';
import { requestLog } from './request-log.ts';
import { limitUnauthenticated } from './unauthenticated-limit.ts';
import { Paths } from './paths.ts';
import { addDocumentRoutes } from './routes/documents.ts';
import { addDashboardRoutes } from './routes/dashboard.ts';
import { addDocsRoutes } from './routes/docs.ts';
import { addForwardedRoutes } from './routes/forwarded.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addMinerOrderRoutes } from './routes/miner-orders.ts';
import { addMinersFileRoutes } from './routes/miners-files.ts';
import { addOrderRoutes } from './routes/orders.ts';
import { addPositionsRoutes } from './routes/positions.ts';
import { addStatisticsRoutes } from './routes/statistics.ts';
import type { Snapshots } from './snapshots/snapshots.ts';

const BODY_LIMIT_BYTES = 256 * 1024;
const HOTKEY_LIMIT_CHARACTERS = 128;
/** Above the 60 s after which nginx lets go of an idle connection: who closes first must not be we. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** How often the two before are checked. */
const TIMEOUT_CHECK_MS = 5000;
/** A connection on which not a byte has moved for this time is dead. */
const CONNECTION_TIMEOUT_MS = 120_000;

interface AppLimits {
  readonly config: Pick<ServerLimits, 'requestsPerMinute' | 'trustedProxies' | 'corsOrigins'>;
  readonly counts: RequestCounts;
  readonly bytes?: ByteBudget;
  /** Of keys that do not count. */
  readonly failures: AddressLimit;
  /** Of requests without a key; absent: none. */
  readonly unauthenticated?: AddressLimit;
}

export interface AppOptions {
  readonly snapshots: Snapshots;
  readonly log: FastifyBaseLogger;
  readonly orders?: OrderLogs;
  /** Where browsers reach the stream; else it is on its port of the page's host. */
  readonly publicWsUrl?: string | undefined;
  /** The folder of the dashboard's built page; `undefined`: the one of the installed package. */
  readonly dashboardFiles?: string | undefined;
  /** Where requests are passed on to that only the validator's own server can answer; absent: nowhere. */
  readonly forward?: ForwardTarget | undefined;
  /** Shown by `/readyz`. */
  readonly isDraining?: () => boolean;
  /** Of the server, as the API document shows it. */
  readonly version?: string;
  /** Limits of users and of requests without a key; absent: none. */
  readonly limits?: AppLimits;
  /** Overload; absent: not checked. */
  readonly pressure?: PressureLimits;
  /** Called with the connection of every request whose key counts. */
  readonly onAuthenticated?: (socket: Socket) => void;
  /** Unix ms. */
  readonly now?: () => number;
  /** What `/readyz` takes for out of date. */
  readonly maxStalenessMs?: number;
  /** Who counts the requests; nobody by default. */
  readonly metrics?: RequestMetricsOptions;
}

/** The REST interface, answering from `snapshots`. It does not listen: connections are handed to its server. */
export function buildApp({
  snapshots,
  log,
  orders = () => undefined,
  publicWsUrl,
  dashboardFiles,
  forward: target,
  isDraining = () => false,
  version = '0.0.0',
  limits,
  pressure,
  onAuthenticated,
  now = Date.now,
  maxStalenessMs = Infinity,
  metrics,
}: AppOptions): FastifyInstance {
  const corsOrigins = limits?.config.corsOrigins ?? [];
  // Also one that has expired.
  const isKey = (text: string): boolean => snapshots.keys.lookup(text, -Infinity) !== undefined;
  const logRequest = requestLog(log, isKey);
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    schemaController: SCHEMAS_FOR_READERS,
    bodyLimit: BODY_LIMIT_BYTES,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      // A request without one is refused below, as Node would, but in JSON and with an id.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: HOTKEY_LIMIT_CHARACTERS },
    exposeHeadRoutes: false,
    requestIdHeader: false,
    trustProxy: trustFunction(limits?.config.trustedProxies ?? []),
    genReqId: createRequestId,
    clientErrorHandler: (error, socket) => {
      // Whose page it came from is not known.
      answerClientError(error, socket, corsHeaders(corsOrigins));
    },
    // A path that is not percent-encoded text, or with a hotkey that is too long: nothing is there.
    frameworkErrors: (_error, request, reply) => {
      logRequest(request, reply);
      reply.headers({ ...commonHeaders(request.id), ...corsHeaders(corsOrigins, request.headers.origin) });
      sendError(reply, 'PTN_ERR_HTTP_NOT_FOUND');
    },
  });

  answerInTurn(app.server);
  // The first generation's clients send their key as a body, on GET.
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  app.addHttpMethod('HEAD', { hasBody: true, overrideExisting: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });

  const untrustedProxy = new UntrustedProxyWarning(log);
  app.decorateRequest('grant', null);
  app.decorateRequest('isLimited', false);
  app.addHook('onRequest', (request, reply, done) => {
    logRequest(request, reply);
    reply.headers(commonHeaders(request.id));
    untrustedProxy.look(request);
    done();
  });
  allowOrigins(app, corsOrigins);
  const paths = new Paths(app, HOTKEY_LIMIT_CHARACTERS);
  // What refuses a request comes behind the headers that let a page read why.
  app.after(() => {
    refuseMalformed(app);
    if (limits?.unauthenticated !== undefined) {
      const isValid = (key: string): boolean => snapshots.keys.lookup(key, now()) !== undefined;
      limitUnauthenticated(app, { limit: limits.unauthenticated, corsOrigins, isValid });
    }
    paths.refuseOtherMethods();
    app.addHook('onRequest', (request, _reply, done) => {
      ignoreOtherContentTypes(request);
      done();
    });
    if (metrics !== undefined) observeRequests(app, metrics);
    if (pressure !== undefined) refuseUnderPressure(app, pressure);
  });
  app.setErrorHandler(answerFault);
  app.setNotFoundHandler((_request, reply) => sendError(reply, 'PTN_ERR_HTTP_NOT_FOUND'));

  const bytes = limits?.bytes ?? new ByteBudget();
  const downloads = new Downloads({
    isValid: ({ sha256 }) => snapshots.keys.current(sha256, now()) !== undefined,
    log,
  });
  app.decorate('answerLimits', { downloads, bytes });
  app.decorate('recentBodies', new RecentBodies());
  app.addHook('onClose', () => {
    downloads.close();
  });
  const limitRate =
    limits === undefined
      ? undefined
      : limitRates(app, {
          requestsPerMinute: limits.config.requestsPerMinute,
          counts: limits.counts,
          bytes,
        });
  const guard = guardWith(() => snapshots.keys, now, {
    failures: limits?.failures,
    corsOrigins,
    limitRate,
    onAuthenticated,
  });
  const forward = target === undefined ? notForwarded : forwardTo(app, target);
  const context = { snapshots, orders, guard, forward };
  // A page and no part of the interface that is described.
  addDashboardRoutes(app, { snapshots, publicWsUrl, files: dashboardFiles });
  // In scopes, which begin when all hooks are there.
  app.register((scope, _options, done) => {
    addPositionsRoutes(scope, context);
    addStatisticsRoutes(scope, context);
    addDocumentRoutes(scope, context);
    addMinersFileRoutes(scope, context);
    addMinerOrderRoutes(scope, context);
    done();
  });
  app.register((scope, _options, done) => {
    addForwardedRoutes(scope, context);
    done();
  });
  app.register((scope, _options, done) => {
    addHealthRoutes(scope, { snapshots, isDraining, maxStalenessMs });
    done();
  });
  // A scope of its own: what it compresses on the way are its pages alone, never a snapshot.
  app.register((scope) => addOrderRoutes(scope, context));
  app.register((scope) => addDocsRoutes(scope, version));
  return app;
}
