import type { FastifyInstance } from 'fastify';
import { minersFiles, sendError } from '@ptn-api/runtime';
import type { MinersFileName, MinersRoute } from '@ptn-api/runtime';
import { hotkeyOf, isTrue, parameter } from '../query.ts';
import { sendSnapshot } from '../send-snapshot.ts';
import { addRoute, HOTKEY_PARAMETER } from './route.ts';
import type { RouteHandler } from '../access.ts';
import type { RouteContext } from './route.ts';

/** The files that are kept by miner: the routes of each row of the table. */
export function addMinersFileRoutes(app: FastifyInstance, context: RouteContext): void {
  for (const [name, { routes }] of minersFiles) {
    for (const route of routes) {
      const handler = handlerOf(name, route, context);
      const url = route.route.replace('{hotkey}', HOTKEY_PARAMETER);
      addRoute(app, url, handler);
      // The Python server sends clients on to the one with the slash.
      if (url.endsWith('/')) addRoute(app, url.slice(0, -1), handler);
    }
  }
}

function handlerOf(
  name: MinersFileName,
  row: MinersRoute,
  { snapshots, guard, forward }: RouteContext,
): RouteHandler {
  const { route, minTier = 0, viewIf, filter, forwardIf } = row;
  const { notFound = 'PTN_ERR_FILE_NOT_FOUND', tierAccess = 'PTN_ERR_FILE_TIER_ACCESS' } = row;
  const isOfOne = route.includes('{hotkey}');
  return guard(
    (request, reply, { grant }) => {
      if (grant.tier < minTier) return sendError(reply, tierAccess, { route, tier: minTier });
      if (forwardIf !== undefined && isTrue(request, forwardIf)) return forward(request, reply);
      if (snapshots.positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
      const file = snapshots.minersFile(name);
      const view = viewIf !== undefined && isTrue(request, viewIf.parameter) ? viewIf.view : row.view;
      const hotkey = isOfOne ? hotkeyOf(request) : filter && parameter(request, filter);
      if (file === undefined || (isOfOne && file.view(hotkey ?? '', view) === undefined))
        return sendError(reply, notFound, { route, hotkey: hotkey ?? '' });
      const isForAll = hotkey === undefined || hotkey === '';
      return sendSnapshot(request, reply, isForAll ? file.all(row, view) : file.one(row, view, hotkey));
    },
    { bearerOnly: true },
  );
}
