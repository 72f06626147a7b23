import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { dataTier } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import { sendSnapshot } from '../send-snapshot.ts';
import type { Client } from '../access.ts';
import { sendError } from '@ptn-api/runtime';
import { sendMinerNotFound } from './miner-not-found.ts';
import { hasTier, hotkeyOf, sinceOf, tierOf } from '../query.ts';
import type { PositionsState } from '../snapshots/positions-state.ts';
import { timeless } from '../snapshots/snapshot.ts';
import type { Snapshot } from '../snapshots/snapshot.ts';
import { addRoute, HOTKEY_PARAMETER } from './route.ts';
import type { RouteContext } from './route.ts';

/**
 * How long a request waits for a generation that this worker has not got yet: another worker can have sent the
 * client of it some milliseconds before it arrives here.
 */
const AHEAD_WAIT_MS = 1000;

/**
 * Says which generation an answer is, and to which order of the stream it is complete. Below tier 100 that would disclose
 * trades that are hidden for a day: there it is the generation in which the tier itself last changed, and nothing else.
 *
 * @returns how the answer is to be shown.
 */
function stamp(
  reply: FastifyReply,
  positions: PositionsState,
  { grant }: Client,
  tier: Tier = dataTier(grant.tier),
): (snapshot: Snapshot) => Snapshot {
  if (grant.tier < 100) {
    reply.header('X-Generation', positions.generationAt(tier));
    return timeless;
  }
  const { generation, sequence, epoch } = positions.head;
  reply.header('X-Generation', generation);
  if (sequence !== undefined) reply.header('X-Sequence', sequence);
  if (epoch !== undefined) reply.header('X-Epoch', epoch);
  return (snapshot) => snapshot;
}

/** The tier asked for, if it is one and the key may see it; else the request is answered and this is `null`. */
function allowedTier(request: FastifyRequest, reply: FastifyReply, { grant }: Client): Tier | null {
  const tier = tierOf(request);
  if (tier === null) {
    sendError(reply, 'PTN_ERR_POSITIONS_BAD_TIER');
    return null;
  }
  if (tier > grant.tier) {
    sendError(reply, 'PTN_ERR_POSITIONS_TIER_ACCESS', { tier });
    return null;
  }
  return tier;
}

export function addPositionsRoutes(app: FastifyInstance, { snapshots, guard }: RouteContext): void {
  addRoute(
    app,
    '/miner-positions',
    guard((request, reply, client) => {
      const tier = allowedTier(request, reply, client);
      if (tier === null) return reply;
      const { positions } = snapshots;
      if (positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
      if (positions.head.source === 'none') return sendError(reply, 'PTN_ERR_POSITIONS_NOT_FOUND');
      const shown = stamp(reply, positions, client, tier);
      // Clients of the first generation save the answer to `?tier=` as .json.gz and send no Accept-Encoding.
      return sendSnapshot(
        request,
        reply,
        shown(positions.full(tier)),
        hasTier(request) ? 'gzip' : 'identity',
      );
    }),
  );

  addRoute(
    app,
    '/miner-positions/changes',
    guard(async (request, reply, client) => {
      const tier = allowedTier(request, reply, client);
      if (tier === null) return reply;
      const since = sinceOf(request);
      if (since === null) return sendError(reply, 'PTN_ERR_POSITIONS_BAD_SINCE');
      if (snapshots.positions !== undefined && since > snapshots.positions.head.generation) {
        await snapshots.generationReached(since, AHEAD_WAIT_MS);
      }
      const { positions } = snapshots;
      if (positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
      const isDelayed = client.grant.tier < 100;
      const changes = positions.changes(tier, since, isDelayed ? positions.generationAt(tier) : undefined);
      if (changes === undefined)
        return sendError(reply, 'PTN_ERR_POSITIONS_GENERATION_GONE', { since, tier });
      return sendSnapshot(request, reply, stamp(reply, positions, client, tier)(changes));
    }),
  );

  addRoute(
    app,
    `/miner-positions/${HOTKEY_PARAMETER}`,
    guard((request, reply, client) => {
      const { positions } = snapshots;
      if (positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
      const hotkey = hotkeyOf(request);
      const miner = positions.miner(hotkey, dataTier(client.grant.tier));
      if (miner === undefined) return sendMinerNotFound(reply, hotkey, client);
      return sendSnapshot(request, reply, stamp(reply, positions, client)(miner));
    }),
  );

  addRoute(
    app,
    '/miner-hotkeys',
    guard((request, reply, client) => {
      const { positions } = snapshots;
      if (positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
      if (positions.miners.size === 0) return sendError(reply, 'PTN_ERR_POSITIONS_NO_HOTKEYS');
      return sendSnapshot(request, reply, stamp(reply, positions, client)(positions.hotkeys()));
    }),
  );
}
