import type { AddressLimit, KeyRing } from '@ptn-api/access';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { clientAddress } from '@ptn-api/access';
import type { KeyGrant } from '@ptn-api/runtime';
import { isOfOtherSite, sendError } from '@ptn-api/runtime';
import type { RateLimiter } from './rate-limit.ts';

/** The authenticated sender of a request. */
export interface Client {
  readonly grant: KeyGrant;
  /** The key came in a JSON body, as clients of the first generation send it. */
  readonly keyInBody: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What the key allows that the request came with, once it was found to count. */
    grant: KeyGrant | null;
  }
}

type ClientHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
  client: Client,
) => FastifyReply | Promise<FastifyReply>;

export interface GuardOptions {
  /** Only the header counts: routes that no client of the first generation knows. */
  readonly bearerOnly?: boolean;
}

export type Guard = (
  handler: ClientHandler,
  options?: GuardOptions,
) => (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

const BEARER = /^bearer[ \t]+(\S.*)$/i;
/** A body that carries a key has some 100 bytes. To parse what is far larger would cost more than to answer. */
const MAX_KEY_BODY_BYTES = 16 * 1024;
const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/**
 * Only a JSON body can carry a key. Any other content type, also one that is none, is no reason to refuse a request
 * (as Fastify would): such a body is read to its end and forgotten, unless it is passed on.
 */
export function ignoreOtherContentTypes(request: FastifyRequest): void {
  if (request.routeOptions.config.isForwarded === true) return;
  const { headers } = request.raw;
  const type = headers['content-type'];
  if (type !== undefined && !JSON_TYPE.test(type)) delete headers['content-type'];
}

function keyOfBody(request: FastifyRequest): string | undefined {
  if (request.headers['content-type'] === undefined || !Buffer.isBuffer(request.body)) return undefined;
  if (request.body.length > MAX_KEY_BODY_BYTES) return undefined;
  let body: unknown;
  try {
    body = JSON.parse(request.body.toString('utf8'));
  } catch {
    return undefined; // A broken body holds no key.
  }
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'api_key')) return undefined;
  const { api_key: key } = body as { api_key: unknown };
  return typeof key === 'string' ? key : undefined;
}

/** What decides, besides the key itself, whether its request is answered. */
export interface Admission {
  /** Failed authentications by address; absent: they are not limited. */
  readonly failures?: Pick<AddressLimit, 'add'> | undefined;
  /** Origins whose pages are the operator's own. */
  readonly corsOrigins?: readonly string[];
  /** Absent: there is no limit. */
  readonly limitRate?: RateLimiter | undefined;
  /** Called with the connection of every request whose key counts. */
  readonly onAuthenticated?: ((socket: Socket) => void) | undefined;
}

/**
 * Lets a handler be called only for a request with a key that counts: from the header, or, where there is none, from
 * the body. Never from the query string, which ends up in logs.
 */
export function guardWith(
  keys: () => KeyRing,
  now: () => number,
  { failures, corsOrigins = [], limitRate, onAuthenticated }: Admission = {},
): Guard {
  return (handler, { bearerOnly = false } = {}) =>
    async (request, reply) => {
      const header = request.headers.authorization;
      const keyInBody = !bearerOnly && (header === undefined || header === '');
      const key = keyInBody ? keyOfBody(request) : BEARER.exec(header ?? '')?.[1];
      // No key is no guess.
      if (key === undefined) return sendError(reply, 'PTN_ERR_AUTH_UNAUTHORIZED');
      const grant = keys().lookup(key, now());
      if (grant === undefined) {
        // Never in the way of a key that counts: whoever shares the address would lock its owner out.
        const seconds = failures?.add(clientAddress(request), isOfOtherSite(request, corsOrigins));
        if (seconds === undefined) return sendError(reply, 'PTN_ERR_AUTH_UNAUTHORIZED');
        // Each further guess costs a connection.
        reply.headers({ 'Retry-After': seconds, Connection: 'close' });
        return sendError(reply, 'PTN_ERR_AUTH_TOO_MANY_FAILURES', { seconds });
      }
      request.grant = grant;
      onAuthenticated?.(request.raw.socket);
      if ((await limitRate?.(request, reply, grant)) === true) return reply;
      return handler(request, reply, { grant, keyInBody });
    };
}
