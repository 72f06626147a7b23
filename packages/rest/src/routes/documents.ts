import type { ErrorCode } from '@ptn-api/protocol';
import type { FastifyInstance } from 'fastify';
import { sendSnapshot } from '../send-snapshot.ts';
import { sendError } from '@ptn-api/runtime';
import type { DocumentTopic } from '../snapshots/snapshots.ts';
import { addRoute } from './route.ts';
import type { RouteContext } from './route.ts';

interface DocumentRoute {
  readonly url: string;
  readonly topic: DocumentTopic;
  readonly notFound: ErrorCode;
  /** The error for keys below tier 100, where the document needs it. */
  readonly tierAccess?: ErrorCode;
}

const DOCUMENTS: readonly DocumentRoute[] = [
  { url: '/eliminations', topic: 'eliminations', notFound: 'PTN_ERR_ELIMINATIONS_NOT_FOUND' },
  {
    url: '/validator-checkpoint',
    topic: 'checkpoint',
    notFound: 'PTN_ERR_CHECKPOINT_NOT_FOUND',
    tierAccess: 'PTN_ERR_CHECKPOINT_TIER_ACCESS',
  },
  { url: '/miner-copying', topic: 'miner-copying', notFound: 'PTN_ERR_COPYING_NOT_FOUND' },
];

/** The files that are served as a whole. */
export function addDocumentRoutes(app: FastifyInstance, { snapshots, guard }: RouteContext): void {
  for (const { url, topic, notFound, tierAccess } of DOCUMENTS) {
    addRoute(
      app,
      url,
      guard((request, reply, { grant }) => {
        if (tierAccess !== undefined && grant.tier < 100) return sendError(reply, tierAccess);
        if (snapshots.positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
        const document = snapshots.document(topic);
        if (document === undefined) return sendError(reply, notFound);
        return sendSnapshot(request, reply, document);
      }),
    );
  }
}
