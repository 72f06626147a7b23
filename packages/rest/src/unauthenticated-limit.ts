import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isOfOtherSite, sendError } from '@ptn-api/runtime';
import type { AddressLimit } from '@ptn-api/access';
import { clientAddress } from '@ptn-api/access';
import { bodyBytes, keyOfBody, keyOfHeader, MAX_KEY_BODY_BYTES, mayHaveKeyInBody } from './access.ts';
import { sendRefusal } from './refusal.ts';

/** Ten a second: health checks, a page with its files, and a reader of the documentation. */
export const UNAUTHENTICATED_REQUESTS_PER_MINUTE = 600;

export interface UnauthenticatedOptions {
  readonly limit: Pick<AddressLimit, 'add'>;
  readonly corsOrigins: readonly string[];
  /** Whether a key counts now. */
  readonly isValid: (key: string) => boolean;
}

/**
 * Limits what an address asks for, but for what needs a key and comes with one that counts: that has limits of its own.
 * Where the key is not in a small body, which has to be read, nothing is done for a request before it is counted.
 */
export function limitUnauthenticated(
  app: FastifyInstance,
  { limit, corsOrigins, isValid }: UnauthenticatedOptions,
): void {
  /** Whether the request is one too many, and is refused. */
  const refuse = (request: FastifyRequest, reply: FastifyReply): boolean => {
    const seconds = limit.add(clientAddress(request), isOfOtherSite(request, corsOrigins));
    if (seconds === undefined) return false;
    void sendRefusal(reply.header('Connection', 'close'), 'PTN_ERR_HTTP_UNAUTHENTICATED_LIMIT', { seconds });
    return true;
  };
  const hasKey = (key: string | undefined): boolean => key !== undefined && isValid(key);

  app.addHook('onRequest', (request, reply, done) => {
    const needsKey = request.routeOptions.config.needsKey !== undefined;
    if (needsKey && (hasKey(keyOfHeader(request)) || mayHaveKeyInBody(request))) done();
    else if (refuse(request, reply)) return;
    else if (needsKey && isLarge(request))
      sendError(reply.header('Connection', 'close'), 'PTN_ERR_AUTH_UNAUTHORIZED');
    else done();
  });
  app.addHook('preHandler', (request, reply, done) => {
    if (!mayHaveKeyInBody(request) || hasKey(keyOfBody(request)) || !refuse(request, reply)) done();
  });
}

/** Too large for a key to be in it, and not refused for its size anyway. */
function isLarge(request: FastifyRequest): boolean {
  const bytes = bodyBytes(request);
  return bytes > MAX_KEY_BODY_BYTES && bytes <= request.routeOptions.bodyLimit;
}
