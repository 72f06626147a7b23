import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendError } from './errors.ts';
import { headerProblem } from './header-problem.ts';

/**
 * Refuses, in JSON, the requests that Node hands over although they are malformed, or expect what nobody here knows.
 *
 * @param problemOf What else is wrong with a request: a phrase that goes on "The request has …".
 */
export function refuseMalformed(
  app: FastifyInstance,
  problemOf: (request: IncomingMessage) => string | undefined = () => undefined,
): void {
  // Node hands over what expects something that it does not know.
  const unmet = new WeakSet<IncomingMessage>();
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    unmet.add(request);
    app.server.emit('request', request, response);
  });
  app.addHook('onRequest', ({ raw }, reply, done) => {
    const problem = headerProblem(raw) ?? problemOf(raw);
    if (problem === undefined && !unmet.has(raw)) {
      done();
      return;
    }
    // What follows may be a part of what was refused, and its body may come or not.
    reply.header('Connection', 'close');
    if (problem === undefined) sendError(reply, 'PTN_ERR_HTTP_EXPECTATION');
    else sendError(reply, 'PTN_ERR_HTTP_HEADERS', { problem });
  });
}
