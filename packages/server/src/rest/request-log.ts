import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Logs one line for a request when its answer is over, whichever way. The route as a pattern and never the URL: what
 * clients put into paths and query strings may be a key.
 */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { raw: response } = reply;
  const { socket } = request.raw;
  const startedMs = performance.now();
  const bytesBefore = socket.bytesWritten;
  response.once('close', () => {
    request.log.info(
      {
        event: 'request',
        ...(request.userId === null ? {} : { user_id: request.userId }),
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
