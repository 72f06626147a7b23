import { storedSegment } from '@ptn-api/positions';
import type { Segment } from '@ptn-api/positions';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ORDER_STATUSES, sendError } from '@ptn-api/runtime';
import type { OrderStatus } from '@ptn-api/runtime';
import { hotkeyOf, parameter } from '../query.ts';
import { sendSnapshot } from '../send-snapshot.ts';
import { filledOrders } from '../snapshots/filled-orders.ts';
import type { OrderList } from '../snapshots/filled-orders.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { joinedSnapshot } from '../snapshots/snapshot.ts';
import { addRoute, HOTKEY_PARAMETER } from './route.ts';
import type { RouteContext } from './route.ts';

/** Orders that wait show what a miner will do next: no key sees them whose data is delayed. */
const MIN_TIER = 100;
/** An answer repeats this much of a status that it does not know. */
const MAX_REPEATED_CHARACTERS = 200;

const NO_ORDERS: OrderList = { count: 0, segments: [storedSegment('[]')] };

/** The statuses asked for, each once; none where nothing is said; what was said that is no status. */
function statusesOf(request: FastifyRequest): readonly OrderStatus[] | { readonly unknown: string } {
  const text = parameter(request, 'status') ?? '';
  if (text === '') return [];
  const asked = [...new Set(text.split(',').map((part) => part.trim().toLowerCase()))];
  const unknown = asked.filter((one) => !(ORDER_STATUSES as readonly string[]).includes(one));
  if (unknown.length === 0) return asked as OrderStatus[];
  // As Python writes a set.
  return { unknown: `{${unknown.map((one) => `'${one}'`).join(', ')}}`.slice(0, MAX_REPEATED_CHARACTERS) };
}

/** The orders of one status that the files of limit orders hold. */
function limitOrders(snapshots: Snapshots, hotkey: string, status: OrderStatus): OrderList {
  const view = snapshots.minersFile('limit-orders')?.view(hotkey, status);
  return view === undefined ? NO_ORDERS : { count: view.items, segments: [view.text] };
}

function byStatus(lists: readonly (readonly [OrderStatus, OrderList])[]): Segment[] {
  const members = lists.flatMap(([status, { segments }], index) => [
    storedSegment(`${index === 0 ? '' : ', '}"${status}": `),
    ...segments,
  ]);
  return [storedSegment('{'), ...members, storedSegment('}')];
}

/** `/limit-orders/HK`: orders that wait for their price, or did. `/orders/HK`: all orders, also those of positions. */
export function addMinerOrderRoutes(app: FastifyInstance, { snapshots, guard }: RouteContext): void {
  const add = (
    route: string,
    notFound: 'PTN_ERR_LIMIT_ORDERS_NOT_FOUND' | 'PTN_ERR_MINER_ORDERS_NOT_FOUND',
    /** What is shown where no status is asked for. */
    usual: readonly [OrderStatus, ...OrderStatus[]],
    listOf: (hotkey: string, status: OrderStatus) => OrderList | Promise<OrderList>,
  ): void => {
    const answer = async (
      request: FastifyRequest,
      reply: FastifyReply,
      asked: readonly OrderStatus[],
    ): Promise<FastifyReply> => {
      const { positions } = snapshots;
      if (positions === undefined) return sendError(reply, 'PTN_ERR_HTTP_LOADING');
      const hotkey = hotkeyOf(request);
      const statuses = asked.length === 0 ? usual : asked;
      const lists = await Promise.all(
        statuses.map(async (status) => [status, await listOf(hotkey, status)] as const),
      );
      if (lists.every(([, { count }]) => count === 0)) return sendError(reply, notFound, { hotkey });
      const isOneList = asked.length === 0 && usual.length === 1;
      const segments = isOneList ? (lists[0]?.[1].segments ?? []) : byStatus(lists);
      const modifiedMs = snapshots.minersFile('limit-orders')?.head.modifiedMs ?? 0;
      return sendSnapshot(
        request,
        reply,
        joinedSnapshot(segments, Math.max(positions.head.modifiedMs, modifiedMs)),
      );
    };
    addRoute(
      app,
      `${route}/${HOTKEY_PARAMETER}`,
      guard(
        (request, reply, { grant }) => {
          if (grant.tier < MIN_TIER)
            return sendError(reply, 'PTN_ERR_POSITIONS_TIER_ACCESS', { tier: MIN_TIER });
          const asked = statusesOf(request);
          return 'unknown' in asked
            ? sendError(reply, 'PTN_ERR_ORDERS_BAD_STATUS', { values: asked.unknown })
            : answer(request, reply, asked);
        },
        { bearerOnly: true },
      ),
    );
  };

  add('/limit-orders', 'PTN_ERR_LIMIT_ORDERS_NOT_FOUND', ['unfilled'], (hotkey, status) =>
    limitOrders(snapshots, hotkey, status),
  );
  add('/orders', 'PTN_ERR_MINER_ORDERS_NOT_FOUND', ORDER_STATUSES, (hotkey, status) => {
    if (status !== 'filled') return limitOrders(snapshots, hotkey, status);
    const miner = snapshots.positions?.miners.get(hotkey);
    return miner === undefined ? NO_ORDERS : filledOrders(miner);
  });
}
