import type { FastifyReply, FastifyRequest } from 'fastify';
import { clientRequestId } from '@ptn-api/runtime';

/**
 * Logs one line for a request when its answer is over, whichever way. The route as a pattern and never the URL: what
 * clients put into paths and query strings may be a key.
 */
export function logRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  isKey: (text: string) => boolean,
): void {
  const { raw: response } = reply;
  const { socket } = request.raw;
  const startedMs = performance.now();
  const bytesBefore = socket.bytesWritten;
  response.once('close', () => {
    const isUnauthenticated = request.grant === null;
    const ownId = isUnauthenticated ? undefined : clientRequestId(request, isKey);
    // Summed up in the usage report: a line for each would let anybody fill the disk.
    request.log[isUnauthenticated ? 'debug' : 'info'](
      {
        event: 'request',
        ...(!isUnauthenticated && { user_id: request.grant?.userId }),
        ...(ownId !== undefined && { client_request_id: ownId }),
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: response.statusCode,
        ms: Math.round((performance.now() - startedMs) * 10) / 10,
        // Of the connection, headers included; a bit more where the client pipelines.
        bytes: socket.bytesWritten - bytesBefore,
        ...(response.writableFinished ? {} : { aborted: true }),
      },
      'request',
    );
  });
}
