import { ERRORS } from '@ptn-api/protocol';
import type { ErrorDefinition } from '@ptn-api/protocol';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { METRIC_PREFIX } from '@ptn-api/runtime';

/** The goal is 50 ms; beyond seconds the feed or the disk was at fault. */
const LAG_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

/** Of the protocol itself, and ours. A client may close with any of 2,000 others, which are counted as one. */
const COUNTED_CODES = new Set<number | undefined>([
  1000,
  1001,
  1002,
  1005,
  1006,
  1009,
  ...Object.values<ErrorDefinition>(ERRORS).map(({ closeCode }) => closeCode),
]);

/** What the gauges are read from, at the moment when somebody asks. */
export interface StreamView {
  readonly openCount: number;
  /** Ids of the users of the authenticated connections, one for each connection. */
  userIds(): Iterable<string>;
  /** Orders that the subscription which is furthest behind has not been sent yet. */
  furthestBehind(): number;
}

/** What a stream server counts and measures. Plain numbers where it happens for every delivery. */
export class StreamMetrics {
  #deliveries = 0;
  #sentBytes = 0;
  readonly #lag: Histogram;
  readonly #closed: Counter<'code'>;

  constructor(register: Registry, view: () => StreamView | undefined) {
    const registers = [register];
    const name = (end: string): string => `${METRIC_PREFIX}stream_${end}`;
    this.#lag = new Histogram({
      name: name('lag_seconds'),
      help: 'Time from an order becoming available to the feed to its being written to the first connection',
      buckets: LAG_SECONDS,
      registers,
    });
    this.#closed = new Counter({
      name: name('closed_total'),
      help: 'Connections that ended, by the code they were closed with',
      labelNames: ['code'],
      registers,
    });
    const deliveries = (): number => this.#deliveries;
    const sentBytes = (): number => this.#sentBytes;
    new Counter({
      name: name('deliveries_total'),
      help: 'Orders sent, once for each connection',
      registers,
      collect() {
        this.reset();
        this.inc(deliveries());
      },
    });
    new Counter({
      name: name('sent_bytes_total'),
      help: 'Bytes of orders sent, without frame heads',
      registers,
      collect() {
        this.reset();
        this.inc(sentBytes());
      },
    });
    new Gauge({
      name: name('open_connections'),
      help: 'Open WebSocket connections, authenticated or not',
      registers,
      collect() {
        this.set(view()?.openCount ?? 0);
      },
    });
    new Gauge({
      name: name('user_connections'),
      help: 'Authenticated WebSocket connections of each user',
      labelNames: ['user_id'],
      registers,
      collect() {
        this.reset();
        for (const user_id of view()?.userIds() ?? []) this.inc({ user_id });
      },
    });
    new Gauge({
      name: name('furthest_behind_orders'),
      help: 'Orders that the subscription which is furthest behind has not been sent yet',
      registers,
      collect() {
        this.set(view()?.furthestBehind() ?? 0);
      },
    });
  }

  countDelivery(orders: number, bytes: number): void {
    this.#deliveries += orders;
    this.#sentBytes += bytes;
  }

  countClosed(code: number): void {
    this.#closed.inc({ code: COUNTED_CODES.has(code) ? String(code) : 'other' });
  }

  /** @param ms By the wall clock, which may have been set back meanwhile. */
  observeLag(ms: number): void {
    this.#lag.observe(Math.max(0, ms) / 1000);
  }
}
