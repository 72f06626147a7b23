import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { getHeapStatistics } from 'node:v8';
import { sendError, servingMemoryLimit } from '@ptn-api/runtime';

export interface PressureLimits {
  /** Mean delay of the event loop over one sample. */
  readonly maxEventLoopDelayMs: number;
  readonly maxHeapUsedBytes: number;
  /** Of the whole process: answers lie outside the heap. */
  readonly maxRssBytes?: number;
  readonly sampleMs: number;
  /** For how long after its start the delay does not count: the start itself is in it. */
  readonly graceMs?: number;
}

/** Of a process that is alive, a supervisor of containers must not get the answer that it is not: it would end it. */
const ALWAYS_ANSWERED = ['/healthz', '/readyz'];

/** Answers take milliseconds: a second late is far behind. Snapshots lie outside the heap, so that near its end, all is lost. */
export function defaultPressureLimits(): PressureLimits {
  return {
    maxEventLoopDelayMs: 1000,
    maxHeapUsedBytes: Math.floor(getHeapStatistics().heap_size_limit * 0.9),
    maxRssBytes: servingMemoryLimit(),
    sampleMs: 1000,
    graceMs: 5000,
  };
}

/** Turns requests away while the process is overloaded, before it checks their keys. */
export function refuseUnderPressure(app: FastifyInstance, limits: PressureLimits): void {
  const startedMs = performance.now();
  const isStarting = (): boolean => performance.now() - startedMs < (limits.graceMs ?? 0);
  app.register(underPressure, {
    maxEventLoopDelay: limits.maxEventLoopDelayMs,
    maxHeapUsedBytes: limits.maxHeapUsedBytes,
    ...(limits.maxRssBytes !== undefined && { maxRssBytes: limits.maxRssBytes }),
    sampleInterval: limits.sampleMs,
    pressureHandler: (request, reply, type) => {
      if (ALWAYS_ANSWERED.includes(request.routeOptions.url ?? '')) return;
      if (type === underPressure.TYPE_EVENT_LOOP_DELAY && isStarting()) return;
      sendError(reply, 'PTN_ERR_HTTP_OVERLOADED');
    },
  });
}
