/** The REST worker: forked by the supervisor, which accepts its connections and sends it what to serve. */
import { createLogger, runWorker, SocketLimits } from '@ptn-api/runtime';
import { processMetrics } from '@ptn-api/runtime/process-metrics';
import { AddressLimit } from '@ptn-api/access';
import { buildApp } from './app.ts';
import { UNAUTHENTICATED_REQUESTS_PER_MINUTE } from './unauthenticated-limit.ts';
import { Connections } from './connections.ts';
import { defaultPressureLimits } from './pressure.ts';
import { RequestCounts } from './request-counts.ts';
import { Snapshots } from './snapshots/snapshots.ts';

const NAME = 'rest';

const metrics = processMetrics();
const snapshots = new Snapshots();
let connections: Connections | undefined;
let sockets: SocketLimits | undefined;
let isReady = false;
/** One message at a time, in their order. */
let published: Promise<void> = Promise.resolve();
const counts = new RequestCounts({
  pid: process.pid,
  publish: (transaction) => {
    published = published.then(() => port.publish([transaction]));
  },
  now: Date.now,
});

const port = runWorker({
  name: NAME,
  onStart: async ({ logLevel, version, limits, maxStalenessMs, publicWsUrl, forward }) => {
    const log = createLogger({ name: NAME, level: logLevel, isGathered: true });
    sockets = new SocketLimits({ limits, log });
    const app = buildApp({
      snapshots,
      publicWsUrl,
      forward,
      orders: () => snapshots.orderLog.reader(),
      log,
      version,
      limits: {
        config: limits,
        counts,
        failures: new AddressLimit(limits.authFailuresPerMinute, limits.trustedProxies),
        unauthenticated: new AddressLimit(UNAUTHENTICATED_REQUESTS_PER_MINUTE, limits.trustedProxies),
      },
      pressure: defaultPressureLimits(),
      onAuthenticated: (socket) => sockets?.authenticated(socket),
      isDraining: () => connections?.isDraining === true,
      maxStalenessMs,
      metrics: {
        register: metrics,
        openCount: () => connections?.openCount ?? 0,
      },
    });
    await app.ready();
    connections = new Connections(app.server);
  },
  onRetain: (transactions) => {
    snapshots.apply(transactions);
    for (const transaction of transactions) {
      if (transaction.topic === 'requests') counts.apply(transaction);
    }
    if (!isReady) port.ready();
    isReady = true;
  },
  onConnection: (socket) => {
    if (sockets?.admit(socket) === true) connections?.accept(socket);
  },
  onMetrics: () => metrics.getMetricsAsJSON(),
  onDrain: async (withinMs) => {
    await connections?.drain(withinMs);
  },
});
