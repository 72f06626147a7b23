import { sendError, wholeFiles } from '@ptn-api/runtime';
import type { FastifyInstance } from 'fastify';
import { sendSnapshot } from '../send-snapshot.ts';
import { addRoute } from './route.ts';
import type { RouteContext } from './route.ts';

/** The files that are served as a whole: a route for each row of the table. */
export function addDocumentRoutes(app: FastifyInstance, { snapshots, guard }: RouteContext): void {
  for (const [name, file] of wholeFiles) {
    const { route, minTier = 0 } = file;
    const { notFound = 'PTN_ERR_FILE_NOT_FOUND', tierAccess = 'PTN_ERR_FILE_TIER_ACCESS' } = file;
    addRoute(
      app,
      route,
      guard((request, reply, { grant }) => {
        if (grant.tier < minTier) return sendError(reply, tierAccess, { route });
        if (snapshots.positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
        const document = snapshots.document(name);
        if (document === undefined) return sendError(reply, notFound, { route });
        return sendSnapshot(request, reply, document);
      }),
    );
  }
}
