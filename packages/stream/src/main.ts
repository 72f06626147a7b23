/** The WebSocket worker: forked by the supervisor, which accepts its connections; it reads the order log itself. */
import { createLogger, runWorker } from '@ptn-api/runtime';
import { processMetrics } from '@ptn-api/runtime/process-metrics';
import { AddressLimit } from '@ptn-api/access';
import type { AnyTransaction, OrdersHead, Topic, TopicsHeardBy, Transaction } from '@ptn-api/runtime';
import { openOrderLogReader } from '@ptn-api/order-log';
import type { OrderLogReader } from '@ptn-api/order-log';
import { StreamKeys } from './stream-keys.ts';
import { StreamMetrics } from './stream-metrics.ts';
import { StreamServer } from './stream-server.ts';
import { UpgradeServer } from './upgrade-server.ts';

const NAME = 'ws';

const keys = new StreamKeys();
let opened: { readonly path: string; readonly reader: OrderLogReader } | undefined;
let streams: StreamServer | undefined;
let upgrades: UpgradeServer | undefined;
const register = processMetrics();
const metrics = new StreamMetrics(register, () => streams);
let isReady = false;
/** One message at a time, in their order. */
let published: Promise<void> = Promise.resolve();

function openLog({ path }: OrdersHead): void {
  if (opened?.path === path) return;
  void opened?.reader.close();
  opened = { path, reader: openOrderLogReader({ path }) };
}

/** What is done with each topic that this worker is handed. */
const HANDLERS: { readonly [T in TopicsHeardBy<'ws'>]: (transaction: Transaction<T>) => void } = {
  keys: ({ put }) => {
    keys.replace(put.at(-1)?.[1].entries ?? []);
    streams?.keysChanged();
  },
  orders: ({ put }) => {
    const head = put.at(-1)?.[1];
    if (head === undefined) return; // Until another is published, what was read last holds.
    openLog(head);
    streams?.ordersChanged();
  },
  connections: (transaction) => {
    streams?.connectionsChanged(transaction);
  },
};

function apply(transaction: AnyTransaction): void {
  const handle = (HANDLERS as Partial<Record<Topic, (transaction: AnyTransaction) => void>>)[
    transaction.topic
  ];
  handle?.(transaction);
}

const port = runWorker({
  name: NAME,
  onStart: async ({ logLevel, limits, legacyReplayMs }) => {
    const log = createLogger({ name: NAME, level: logLevel });
    streams = new StreamServer({
      reader: () => opened?.reader,
      keys,
      failures: new AddressLimit(limits.authFailuresPerMinute, limits.trustedProxies),
      log,
      pid: process.pid,
      limits: { legacyReplayMs },
      metrics,
      publish: (transaction) => {
        published = published.then(() => port.publish([transaction]));
      },
    });
    upgrades = await UpgradeServer.start(streams, log, limits);
  },
  onRetain: (transactions) => {
    transactions.forEach(apply);
    if (!isReady) port.ready();
    isReady = true;
  },
  onConnection: (socket) => upgrades?.accept(socket),
  onMetrics: () => register.getMetricsAsJSON(),
  onDrain: async (withinMs) => {
    await streams?.drain(withinMs);
    upgrades?.close();
  },
});
