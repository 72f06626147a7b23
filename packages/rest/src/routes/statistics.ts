import type { FastifyInstance } from 'fastify';
import { sendSnapshot } from '../send-snapshot.ts';
import { sendError } from '@ptn-api/runtime';
import { hotkeyOf, wantsCheckpoints } from '../query.ts';
import { sendMinerNotFound } from './miner-not-found.ts';
import { addRoute, HOTKEY_PARAMETER } from './route.ts';
import type { RouteContext } from './route.ts';

export function addStatisticsRoutes(app: FastifyInstance, { snapshots, guard }: RouteContext): void {
  addRoute(
    app,
    '/statistics',
    guard((request, reply) => {
      if (snapshots.positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
      const { statistics } = snapshots;
      if (statistics === undefined) return sendError(reply, 'PTN_ERR_STATISTICS_NOT_FOUND');
      return sendSnapshot(request, reply, statistics.full(wantsCheckpoints(request)));
    }),
  );

  const sendMiner = guard((request, reply, client) => {
    if (snapshots.positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
    const { statistics } = snapshots;
    if (statistics === undefined) return sendError(reply, 'PTN_ERR_STATISTICS_NOT_FOUND');
    if (statistics.miners.size === 0) return sendError(reply, 'PTN_ERR_STATISTICS_NO_DATA');
    const hotkey = hotkeyOf(request);
    const miner = statistics.miner(hotkey, wantsCheckpoints(request));
    if (miner === undefined) return sendMinerNotFound(reply, hotkey, client);
    return sendSnapshot(request, reply, miner);
  });
  addRoute(app, `/statistics/${HOTKEY_PARAMETER}`, sendMiner);
  addRoute(app, `/statistics/${HOTKEY_PARAMETER}/`, sendMiner);
}
