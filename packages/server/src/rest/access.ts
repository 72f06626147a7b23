import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import type { AuthenticationFailures } from '../ipc/authentication-failures.ts';
import { clientAddress } from '../ipc/client-address.ts';
import type { KeyGrant } from '../ipc/messages.ts';
import { sendError } from '../http/errors.ts';
import type { RateLimiter } from './rate-limit.ts';

/** Who may do what; only digests of keys are in it. */
export interface Keys {
  /** @param nowMs Unix ms, for keys that expire. */
  readonly lookup: (key: string, nowMs: number) => KeyGrant | undefined;
}

/** The authenticated sender of a request. */
export interface Client {
  readonly grant: KeyGrant;
  /** The key came in a JSON body, as clients of the first generation send it. */
  readonly isFirstGeneration: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The user whose key the request came with, once it was found to count. */
    userId: string | null;
  }
}

export type ClientHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
  client: Client,
) => FastifyReply | Promise<FastifyReply>;

export type Guard = (
  handler: ClientHandler,
) => (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

const BEARER = /^bearer[ \t]+(\S.*)$/i;
const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/**
 * Only a JSON body can carry a key. Any other content type, also one that is none, is no reason to refuse a request
 * (as Fastify would): such a body is read to its end and forgotten.
 */
export function ignoreOtherContentTypes(request: FastifyRequest): void {
  const { headers } = request.raw;
  const type = headers['content-type'];
  if (type !== undefined && !JSON_TYPE.test(type)) delete headers['content-type'];
}

function keyOfBody(request: FastifyRequest): string | undefined {
  if (request.headers['content-type'] === undefined || !Buffer.isBuffer(request.body)) return undefined;
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
  readonly failures?: Pick<AuthenticationFailures, 'add' | 'refusedForSeconds'> | undefined;
  /** Absent: there is no limit. */
  readonly limitRate?: RateLimiter | undefined;
  /** Told of the connection of every request whose key counts. */
  readonly onAuthenticated?: ((socket: Socket) => void) | undefined;
}

/**
 * Lets a handler be called only for a request with a key that counts: from the header, or, where there is none, from
 * the body. Never from the query string, which ends up in logs.
 */
export function guardWith(
  keys: Keys,
  now: () => number,
  { failures, limitRate, onAuthenticated }: Admission = {},
): Guard {
  return (handler) => async (request, reply) => {
    const header = request.headers.authorization;
    const isFirstGeneration = header === undefined || header === '';
    const key = isFirstGeneration ? keyOfBody(request) : BEARER.exec(header)?.[1];
    // No key is no guess.
    if (key === undefined) return sendError(reply, 'PTN_ERR_AUTH_UNAUTHORIZED');
    const address = clientAddress(request);
    // Before the key is looked at: that a refusal looks the same for every key is what ends the guessing.
    const seconds = failures?.refusedForSeconds(address);
    if (seconds !== undefined) {
      reply.header('Retry-After', seconds);
      return sendError(reply, 'PTN_ERR_AUTH_TOO_MANY_FAILURES', { seconds });
    }
    const grant = keys.lookup(key, now());
    if (grant === undefined) {
      failures?.add(address);
      return sendError(reply, 'PTN_ERR_AUTH_UNAUTHORIZED');
    }
    request.userId = grant.userId;
    onAuthenticated?.(request.raw.socket);
    if ((await limitRate?.(request, reply, grant)) === true) return reply;
    return handler(request, reply, { grant, isFirstGeneration });
  };
}
