import type { FastifyInstance } from 'fastify';
import { isOfOtherSite, sendError } from '@ptn-api/runtime';
import type { AddressLimit } from '@ptn-api/access';
import { clientAddress } from '@ptn-api/access';

/** Ten a second: health checks, a page with its files, and a reader of the documentation. */
export const UNAUTHENTICATED_REQUESTS_PER_MINUTE = 600;

/** Refuses what an address asks for beyond the limit without a key, before anything is done for it. */
export function limitUnauthenticated(
  app: FastifyInstance,
  limit: Pick<AddressLimit, 'add'>,
  corsOrigins: readonly string[],
): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { authorization, 'content-type': type } = request.headers;
    // A key can be in the one, or in a body of the other.
    const hasKey = authorization !== undefined || type !== undefined;
    const seconds = hasKey
      ? undefined
      : limit.add(clientAddress(request), isOfOtherSite(request, corsOrigins));
    if (seconds === undefined) {
      done();
      return;
    }
    reply.headers({ 'Retry-After': seconds, Connection: 'close' });
    sendError(reply, 'PTN_ERR_HTTP_UNAUTHENTICATED_LIMIT', { seconds });
  });
}
