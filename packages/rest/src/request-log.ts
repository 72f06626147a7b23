import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { clientRequestId, UserLines } from '@ptn-api/runtime';
import { routePattern } from './paths.ts';

/** Lines about a user's refused requests in a minute: a client that goes on beyond its limit may send thousands. */
const REFUSALS_PER_MINUTE = 10;
const TOO_MANY_REQUESTS = 429;

/**
 * Logs one line for a request when its answer is over, whichever way. The route as a pattern and never the URL: what
 * clients put into paths and query strings may be a key.
 */
export function requestLog(
  log: FastifyBaseLogger,
  isKey: (text: string) => boolean,
): (request: FastifyRequest, reply: FastifyReply) => void {
  // Its fields are those below: to search them for secrets would take a quarter of the time of a small answer.
  const lines = log.child({}, { redact: [] });
  const refusals = new UserLines(REFUSALS_PER_MINUTE);
  const levelOf = (userId: string | undefined, status: number): 'info' | 'debug' => {
    // Summed up in the usage report: a line for each would let anybody fill the disk.
    if (userId === undefined) return 'debug';
    return status === TOO_MANY_REQUESTS ? refusals.level(userId) : 'info';
  };
  return (request, reply) => {
    const { raw: response } = reply;
    const { socket } = request.raw;
    const startedMs = performance.now();
    const bytesBefore = socket.bytesWritten;
    response.once('close', () => {
      const userId = request.grant?.userId;
      const ownId = userId === undefined ? undefined : clientRequestId(request, isKey);
      const fields = {
        reqId: request.id,
        event: 'request',
        ...(userId !== undefined && { user_id: userId }),
        ...(ownId !== undefined && { client_request_id: ownId }),
        method: request.method,
        route: routePattern(request) ?? 'none',
        status: response.statusCode,
        ms: Math.round((performance.now() - startedMs) * 10) / 10,
        // Of the connection, headers included; a bit more where the client pipelines.
        bytes: socket.bytesWritten - bytesBefore,
        ...(response.writableFinished ? {} : { aborted: true }),
      };
      lines[levelOf(userId, response.statusCode)](fields, 'request');
    });
  };
}
