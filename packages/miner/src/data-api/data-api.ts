import { answerHalfClosed } from '@ptn-api/runtime';
import fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';

export interface DataApiOptions {
  readonly hotkey: string;
  /** The miner's data as JSON. */
  readonly minerData: () => Promise<string>;
  readonly log: FastifyBaseLogger;
}

// Bodies are sent as bytes: to text Fastify would add a charset.
const JSON_TYPE = 'application/json';
const ROUTES = ['/miner', '/miner-data'];

/** What the miner's page asks: for this machine only, without a key, for pages of any origin. */
export function dataApi({ hotkey, minerData, log }: DataApiOptions): FastifyInstance {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    forceCloseConnections: true,
  });
  answerHalfClosed(app.server);
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined) return;
    reply.headers({ 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' });
    const method = request.headers['access-control-request-method'];
    if (request.method !== 'OPTIONS' || method === undefined) return;
    await reply
      .headers({
        'access-control-allow-methods': 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT',
        'access-control-max-age': '600',
      })
      .type('text/plain; charset=utf-8')
      .send('OK');
  });
  app.get('/miner', (_request, reply) => reply.type(JSON_TYPE).send(Buffer.from(JSON.stringify(hotkey))));
  app.get('/miner-data', async (_request, reply) =>
    reply.type(JSON_TYPE).send(Buffer.from(await minerData())),
  );
  app.setNotFoundHandler((request, reply) => {
    const isRoute = ROUTES.includes(request.url.split('?')[0] ?? '');
    if (isRoute) reply.header('allow', 'GET');
    return reply
      .code(isRoute ? 405 : 404)
      .type(JSON_TYPE)

      .send(Buffer.from(JSON.stringify({ detail: isRoute ? 'Method Not Allowed' : 'Not Found' })));
  });
  return app;
}
