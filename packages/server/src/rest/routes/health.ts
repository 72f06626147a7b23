import compress from '@fastify/compress';
import type { FastifyInstance } from 'fastify';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { addRoute } from './route.ts';

/** Why requests should not be sent here; empty where all is well. */
function unreadyReasons({ positions, feed }: Snapshots, isDraining: boolean): string[] {
  const reasons: string[] = [];
  if (positions === undefined) reasons.push('positions not loaded');
  if (feed?.up === false) reasons.push(`feed down since ${new Date(feed.sinceMs).toISOString()}`);
  if (isDraining) reasons.push('draining');
  return reasons;
}

/**
 * `/healthz`: the process answers. `/readyz`: it has data, and the data is kept up to date. Neither needs a key.
 * Their answers are made anew every time, so they alone are compressed on the way; snapshots never pass there.
 */
export async function addHealthRoutes(
  app: FastifyInstance,
  { snapshots, isDraining }: { snapshots: Snapshots; isDraining: () => boolean },
): Promise<void> {
  await app.register(compress);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({ 'Cache-Control': 'no-store', 'Content-Type': 'application/json' });
    done();
  });
  addRoute(app, '/healthz', (_request, reply) => reply.send(jsonBytes({ status: 'ok' })));
  addRoute(app, '/readyz', (_request, reply) => {
    const reasons = unreadyReasons(snapshots, isDraining());
    return reasons.length === 0
      ? reply.send(jsonBytes({ status: 'ready' }))
      : reply.code(503).send(jsonBytes({ status: 'unready', reasons }));
  });
}

/** As bytes: to text Fastify would add a charset, which JSON has none of. */
function jsonBytes(body: object): Buffer {
  return Buffer.from(JSON.stringify(body));
}
