import type { FastifyInstance } from 'fastify';
import type { Guard, RouteHandler } from '../access.ts';
import type { Forward } from '../forwarding/forward.ts';
import type { OrderLogs } from '../order-log-access.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';

/** What every group of routes is given. */
export interface RouteContext {
  readonly snapshots: Snapshots;
  readonly guard: Guard;
  readonly orders: OrderLogs;
  /** Answers what only the validator's own server can. */
  readonly forward: Forward;
}

/**
 * The hotkey in a path: letters, digits and `_ . : -`, at most as long as the router allows. With anything else
 * (decoded slashes, markup, control characters) there is no such route, and the text is not repeated in an answer.
 */
export const HOTKEY_PARAMETER = ':hotkey(^[\\w.:-]+$)';

/** One resource that is read: GET, and HEAD. */
export function addRoute(app: FastifyInstance, url: string, handler: RouteHandler): void {
  app.route({ method: ['GET', 'HEAD'], url, config: { needsKey: handler.needsKey }, handler });
}
