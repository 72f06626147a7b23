import { setTimeout as sleep } from 'node:timers/promises';
import compress from '@fastify/compress';
import type { FastifyInstance } from 'fastify';
import { Budgets } from '@ptn-api/access';
import type { OrderLogReader } from '@ptn-api/order-log';
import { sendError } from '@ptn-api/runtime';
import { limitOf, sinceOf } from '../query.ts';
import { addRoute } from './route.ts';
import type { RouteContext } from './route.ts';

/** An answer ends with the message that reaches this, however many more were asked for: others wait some 15 ms for it. */
const BODY_SIZE_BYTES = 1024 * 1024;
/** What one user's pages may hold: more would take turns from all others, a few milliseconds each. */
const PAGES = { perSecond: 8 * BODY_SIZE_BYTES, atOnce: 2 * BODY_SIZE_BYTES };

/**
 * The orders after a sequence number, in the form in which they are streamed, and where to go on. What is asked for and
 * no longer in the log is reported as a gap, never passed over in silence.
 */
function ordersAfter(reader: OrderLogReader, since: number, limit: number): Buffer {
  const { epoch, oldest, last } = reader.state();
  const parts: Uint8Array[] = [];
  let next = since;
  for (const { sequence, bytes } of reader.read(since, limit, BODY_SIZE_BYTES)) {
    parts.push(Buffer.from(parts.length === 0 ? '' : ', '), bytes);
    next = sequence;
  }
  const isGap = since < oldest - 1;
  const gap = isGap ? `"gap": {"from": ${since + 1}, "to": ${oldest - 1}}, ` : '';
  const tail = `], "count": ${parts.length / 2}, ${gap}"next": ${next}, "current_sequence": ${last}, "epoch": ${JSON.stringify(epoch)}}`;
  return Buffer.concat([Buffer.from('{"messages": ['), ...parts, Buffer.from(tail)]);
}

/** `/orders`: the order log over REST, for filling gaps. */
export async function addOrderRoutes(app: FastifyInstance, { orders, guard }: RouteContext): Promise<void> {
  await app.register(compress, { globalDecompression: false });
  const budgets = new Budgets(PAGES);
  addRoute(
    app,
    '/orders',
    guard(async (request, reply, { grant }) => {
      if (grant.tier < 100) return sendError(reply, 'PTN_ERR_ORDERS_TIER_ACCESS');
      const since = sinceOf(request);
      const limit = limitOf(request);
      if (since === null || limit === null) return sendError(reply, 'PTN_ERR_ORDERS_BAD_RANGE');
      // Paid for as a whole page before it is read, so that those asked for at once follow each other.
      const waitMs = budgets.spend(grant.userId, BODY_SIZE_BYTES);
      if (waitMs > 0) await sleep(waitMs);
      const reader = await orders();
      const page = reader === undefined ? Buffer.alloc(0) : ordersAfter(reader, since, limit);
      budgets.spend(grant.userId, page.length - BODY_SIZE_BYTES);
      if (reader === undefined) return sendError(reply, 'PTN_ERR_ORDERS_UNAVAILABLE');
      reply.headers({ 'Content-Type': 'application/json', 'Cache-Control': 'private, no-cache' });
      return reply.send(page);
    }),
  );
}
