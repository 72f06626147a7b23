import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OrderLogReader } from '@ptn-api/order-log';
import type { Guard } from '../access.ts';
import { sendError } from '@ptn-api/runtime';
import type { Forward } from '../forwarding/forward.ts';
import { HIDDEN, schemaOf } from '../openapi/describe-routes.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';

/** What every group of routes is given. */
export interface RouteContext {
  readonly snapshots: Snapshots;
  readonly guard: Guard;
  /** The order log; `undefined` while there is none. */
  readonly orders: () => OrderLogReader | undefined;
  /** Answers what only the validator's own server can. */
  readonly forward: Forward;
}

export type RouteHandler = (
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>;

/**
 * The hotkey in a path: letters, digits and `_ . : -`, at most as long as the router allows. With anything else
 * (decoded slashes, markup, control characters) there is no such route, and the text is not repeated in an answer.
 */
export const HOTKEY_PARAMETER = ':hotkey(^[\\w.:-]+$)';

/** One resource: GET and HEAD are answered, every other method with 405, without reading its body or key. */
export function addRoute(app: FastifyInstance, url: string, handler: RouteHandler): void {
  app.route({ method: 'GET', url, schema: schemaOf(url), handler });
  app.route({ method: 'HEAD', url, schema: HIDDEN, handler });
  const refuse: RouteHandler = (_request, reply) => sendError(reply, 'PTN_ERR_HTTP_METHOD');
  app.route({
    method: app.supportedMethods.filter((method) => method !== 'GET' && method !== 'HEAD'),
    url,
    schema: HIDDEN,
    onRequest: async (request, reply) => refuse(request, reply),
    handler: refuse,
  });
}
