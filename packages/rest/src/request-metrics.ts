import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { METRIC_PREFIX } from '@ptn-api/runtime';
import { routePattern } from './paths.ts';

/** From a 304 to tens of megabytes over a slow line. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** For each user and route: fewer, as they are many series. */
const USER_REQUEST_SECONDS = [0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1, 5, 30];
/** Any other method is counted as one: a client could make up as many as it likes. */
const COUNTED_METHODS = new Set(['GET', 'HEAD']);
/** What a parameter of a path has to look like is no part of the route's name. */
const PARAMETER_PATTERN = /(:\w+)\(.*?\$\)/g;

export interface RequestMetricsOptions {
  readonly register: Registry;
  /** Connections that are open. */
  readonly openCount: () => number;
}

/** Counts and measures the requests of an app; to be called before its routes are added. */
export function observeRequests(app: FastifyInstance, options: RequestMetricsOptions): void {
  const { register, openCount } = options;
  const registers = [register];
  const requests = new Counter({
    name: `${METRIC_PREFIX}http_requests_total`,
    help: 'Requests answered; the status 304 is a client that had the answer already',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: `${METRIC_PREFIX}http_request_seconds`,
    help: 'Time from the head of a request to the last byte of its answer being handed to the system',
    labelNames: ['route'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const sentBytes = new Counter({
    name: `${METRIC_PREFIX}http_sent_bytes_total`,
    help: 'Bytes of answers, heads included',
    labelNames: ['route'],
    registers,
  });
  new Gauge({
    name: `${METRIC_PREFIX}http_open_connections`,
    help: 'Open REST connections',
    registers,
    collect() {
      this.set(openCount());
    },
  });

  const countUser = userMetrics(register);

  /** How much of what a connection has sent is counted. */
  const counted = new WeakMap<Socket, number>();
  app.addHook('onResponse', (request, reply, done) => {
    const { socket } = request.raw;
    const bytesSent = socket.bytesWritten - (counted.get(socket) ?? 0);
    counted.set(socket, socket.bytesWritten);
    const [route, status] = [routeOf(request), reply.statusCode];
    requests.inc({
      method: COUNTED_METHODS.has(request.method) ? request.method : 'other',
      route,
      status: String(status),
    });
    seconds.observe({ route }, reply.elapsedTime / 1000);
    sentBytes.inc({ route }, bytesSent);
    countUser(request.grant?.userId ?? '', route, { status, seconds: reply.elapsedTime / 1000, bytesSent });
    done();
  });
}

/** The route as an operator reads it; `none` for a path that leads nowhere. */
function routeOf(request: FastifyRequest): string {
  return routePattern(request)?.replace(PARAMETER_PATTERN, '$1') ?? 'none';
}

interface Answered {
  readonly status: number;
  readonly seconds: number;
  readonly bytesSent: number;
}

/**
 * Who asked for what. Only names of the key file become labels, and routes are a few: what clients send makes none.
 *
 * @returns counts an answer; of the user '' where there was no key that counts.
 */
function userMetrics(register: Registry): (userId: string, route: string, answered: Answered) => void {
  const labelled = { labelNames: ['user_id', 'route'] as const, registers: [register] };
  const requests = new Counter({
    name: `${METRIC_PREFIX}user_requests_total`,
    help: 'Requests by the id of the user in the key file; empty for those without a key that counts',
    ...labelled,
  });
  const failures = new Counter({
    name: `${METRIC_PREFIX}user_failures_total`,
    help: 'Of these, answered with a status of 400 or above',
    ...labelled,
  });
  const sentBytes = new Counter({
    name: `${METRIC_PREFIX}user_sent_bytes_total`,
    help: 'Bytes of the answers to them',
    ...labelled,
  });
  const seconds = new Histogram({
    name: `${METRIC_PREFIX}user_request_seconds`,
    help: 'Time from the head of a request to the last byte of its answer being handed to the system',
    buckets: USER_REQUEST_SECONDS,
    ...labelled,
  });
  return (user_id, route, answered) => {
    const labels = { user_id, route };
    requests.inc(labels);
    if (answered.status >= 400) failures.inc(labels);
    sentBytes.inc(labels, answered.bytesSent);
    seconds.observe(labels, answered.seconds);
  };
}
