import type { AddressLimit, KeyRing } from '@ptn-api/access';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { clientAddress } from '@ptn-api/access';
import type { KeyGrant } from '@ptn-api/runtime';
import { isOfOtherSite, sendError } from '@ptn-api/runtime';
import type { RateLimiter } from './rate-limit.ts';
import { sendRefusal } from './refusal.ts';

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
  interface FastifyContextConfig {
    /** Of its handler. */
    needsKey?: KeyPlace | undefined;
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

/** Where a route looks for a key. */
type KeyPlace = 'header' | 'header or body';

export interface RouteHandler {
  (request: FastifyRequest, reply: FastifyReply): FastifyReply | Promise<FastifyReply>;
  /** Answers only to who has a key, which has limits of its own. */
  readonly needsKey?: KeyPlace;
}

export type Guard = (handler: ClientHandler, options?: GuardOptions) => RouteHandler;

const BEARER = /^bearer[ \t]+(\S.*)$/i;
/** A body that carries a key has some 100 bytes. To parse what is far larger would cost more than to answer. */
export const MAX_KEY_BODY_BYTES = 16 * 1024;
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

export function keyOfHeader({ headers }: FastifyRequest): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1];
}

/** What a request says that its body has; Infinity where it comes in chunks, without saying so. */
export function bodyBytes({ headers }: FastifyRequest): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
}

/** Whether a key in the body would count; not when one is in the header, or the body is large or of unknown size. */
export function mayHaveKeyInBody(request: FastifyRequest): boolean {
  if (request.routeOptions.config.needsKey !== 'header or body') return false;
  const { authorization = '', 'content-type': type = '' } = request.headers;
  return authorization === '' && JSON_TYPE.test(type) && bodyBytes(request) <= MAX_KEY_BODY_BYTES;
}

export function keyOfBody(request: FastifyRequest): string | undefined {
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
  return (handler, { bearerOnly = false } = {}) => {
    const needsKey: KeyPlace = bearerOnly ? 'header' : 'header or body';
    const guarded = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const header = request.headers.authorization;
      const keyInBody = !bearerOnly && (header === undefined || header === '');
      const key = keyInBody ? keyOfBody(request) : keyOfHeader(request);
      // No key is no guess, and counted as a request without one.
      if (key === undefined) return sendError(reply, 'PTN_ERR_AUTH_UNAUTHORIZED');
      const grant = keys().lookup(key, now());
      if (grant === undefined) {
        // Never in the way of a key that counts: whoever shares the address would lock its owner out.
        const seconds = failures?.add(clientAddress(request), isOfOtherSite(request, corsOrigins));
        if (seconds === undefined) return sendError(reply, 'PTN_ERR_AUTH_UNAUTHORIZED');
        // Each further guess costs a connection.
        return sendRefusal(reply.header('Connection', 'close'), 'PTN_ERR_AUTH_TOO_MANY_FAILURES', {
          seconds,
        });
      }
      request.grant = grant;
      onAuthenticated?.(request.raw.socket);
      if ((await limitRate?.(request, reply, grant)) === true) return reply;
      return handler(request, reply, { grant, keyInBody });
    };
    return Object.assign(guarded, { needsKey });
  };
}
