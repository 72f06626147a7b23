/** The REST worker: forked by the supervisor, which accepts its connections and tells it what to serve. */
import { createLogger } from '../config/logger.ts';
import { runWorker } from '../ipc/worker-process.ts';
import { buildApp } from './app.ts';
import { Connections } from './connections.ts';
import { Snapshots } from './snapshots/snapshots.ts';

const NAME = 'rest';

const snapshots = new Snapshots();
let connections: Connections | undefined;
let isReady = false;

const port = runWorker({
  name: NAME,
  onStart: async ({ logLevel }) => {
    const app = buildApp({
      snapshots,
      keys: { lookup: (key, nowMs) => snapshots.keys.lookup(key, nowMs) },
      orders: () => snapshots.orderLog.reader(),
      log: createLogger({ name: NAME, level: logLevel }),
      isDraining: () => connections?.isDraining === true,
    });
    await app.ready();
    connections = new Connections(app.server);
  },
  onRetain: (transactions) => {
    snapshots.apply(transactions);
    if (!isReady) port.ready();
    isReady = true;
  },
  onConnection: (socket) => connections?.accept(socket),
  onDrain: (withinMs) => connections?.drain(withinMs),
});
