import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendError } from '@ptn-api/runtime';
import type { RouteHandler } from '../access.ts';
import { FORWARDED_ROUTES } from '../forwarding/forwarded-routes.ts';
import type { ForwardedRoute } from '../forwarding/forwarded-routes.ts';
import type { RouteContext } from './route.ts';

/**
 * A part of a path that is passed on: letters, digits and `_ . : -`, and no dot at its front. So no path that the
 * target is asked for climbs out of where it should be, however the dots are written.
 */
const PART = '(^[\\w:-][\\w.:-]*$)';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Bodies and their type are passed on as they come. */
    isForwarded?: true;
    /** What pages of other origins may do there, where it is more than to read. */
    cors?: { readonly methods: readonly string[] };
  }
}

/** What only the validator's own server can answer. */
export function addForwardedRoutes(app: FastifyInstance, { guard, forward }: RouteContext): void {
  // The library warns of every request that fails: what is wrong with the target is said once.
  app.setChildLoggerFactory((logger, bindings, options) => {
    const child = logger.child(bindings, options);
    return Object.assign(child, { warn: child.debug.bind(child) });
  });
  const methodsByUrl = new Map<string, string[]>();
  for (const row of FORWARDED_ROUTES) {
    const url = row.route.replace(/\{(\w+)\}/g, `:$1${PART}`);
    const methods = row.method === 'GET' ? ['GET', 'HEAD'] : [row.method];
    methodsByUrl.set(url, [...(methodsByUrl.get(url) ?? []), ...methods]);
    const handler = handlerOf(row, { guard, forward });
    app.route({ method: methods, url, config: { isForwarded: true, needsKey: handler.needsKey }, handler });
  }
  // Before a page may send anything but a read, browsers ask for the methods by OPTIONS, which CORS answers where it is on.
  for (const [url, methods] of methodsByUrl) {
    const refuse: RouteHandler = (_request, reply) =>
      sendError(reply.header('Allow', methods.join(', ')), 'PTN_ERR_HTTP_METHOD');
    const onRequest = async (request: FastifyRequest, reply: FastifyReply) => refuse(request, reply);
    app.route({ method: 'OPTIONS', url, config: { cors: { methods } }, onRequest, handler: refuse });
  }
}

function handlerOf(
  { route, minTier, tierAccess = 'PTN_ERR_POSITIONS_TIER_ACCESS' }: ForwardedRoute,
  { guard, forward }: Pick<RouteContext, 'guard' | 'forward'>,
): RouteHandler {
  if (minTier === undefined) return forward;
  return guard(
    (request, reply, { grant }) =>
      grant.tier < minTier ? sendError(reply, tierAccess, { route, tier: minTier }) : forward(request, reply),
    { bearerOnly: true },
  );
}
