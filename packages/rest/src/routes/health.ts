import type { FastifyInstance } from 'fastify';
import { monotonicMs } from '@ptn-api/runtime';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { addRoute } from './route.ts';

export interface HealthOptions {
  readonly snapshots: Snapshots;
  readonly isDraining: () => boolean;
  /** The feed has to have proved within this time that the positions are up to date. */
  readonly maxStalenessMs: number;
}

/** Why requests should not be sent here; empty where all is well. */
function unreadyReasons(
  { positions, feed, sources }: Snapshots,
  { isDraining, maxStalenessMs }: HealthOptions,
): string[] {
  const reasons: string[] = [];
  if (positions === undefined) reasons.push('positions not loaded');
  if (feed?.up === false) reasons.push(`feed down since ${new Date(feed.sinceMs).toISOString()}`);
  const uncheckedMs = sources === undefined ? 0 : monotonicMs() - sources.checkedMs;
  if (uncheckedMs > maxStalenessMs) {
    const [seconds, allowed] = [uncheckedMs, maxStalenessMs].map((ms) => Math.round(ms / 1000));
    reasons.push(`positions not checked for ${seconds} s, allowed are ${allowed} s`);
  }
  if (isDraining()) reasons.push('draining');
  return reasons;
}

/** `/healthz` and `/api/health`: the process answers. `/readyz`: it has data, and the data is kept up to date. None needs a key. */
export function addHealthRoutes(app: FastifyInstance, options: HealthOptions): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({ 'Cache-Control': 'no-store', 'Content-Type': 'application/json' });
    done();
  });
  addRoute(app, '/healthz', (_request, reply) => reply.send(jsonBytes({ status: 'ok' })));
  // What clients of today's validators ask.
  addRoute(app, '/api/health', (_request, reply) =>
    reply.send(jsonBytes({ status: 'healthy', service: 'ptn-api', timestamp_ms: Date.now() })),
  );
  addRoute(app, '/readyz', (_request, reply) => {
    const reasons = unreadyReasons(options.snapshots, options);
    // No reason to send nobody here: what was read last is served on.
    const warnings = options.snapshots.sources?.problems ?? [];
    return reasons.length === 0
      ? reply.send(jsonBytes({ status: 'ready', ...(warnings.length > 0 && { warnings }) }))
      : reply.code(503).send(jsonBytes({ status: 'degraded', reasons }));
  });
}

/** As bytes: to text Fastify would add a charset, which JSON has none of. */
function jsonBytes(body: object): Buffer {
  return Buffer.from(JSON.stringify(body));
}
