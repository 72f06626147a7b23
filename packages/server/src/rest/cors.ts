import type { FastifyInstance } from 'fastify';

const EXPOSED = [
  'ETag',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-Epoch',
  'X-Generation',
  'X-Request-Id',
  'X-Sequence',
];
const ALLOWED_HEADERS = 'Authorization, If-None-Match';
const PREFLIGHT_SECONDS = 7200;

/** Lets pages of these origins read the answers in browsers, `*`: of all. Their keys are theirs to show: no cookie counts. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const isForAll = origins.includes('*');
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin === undefined || !(isForAll || origins.includes(origin))) {
      done();
      return;
    }
    reply.headers({
      'Access-Control-Allow-Origin': isForAll ? '*' : origin,
      'Access-Control-Expose-Headers': EXPOSED.join(', '),
    });
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      done();
      return;
    }
    reply
      .code(204)
      .headers({
        'Access-Control-Allow-Methods': 'GET, HEAD',
        'Access-Control-Allow-Headers': ALLOWED_HEADERS,
        'Access-Control-Max-Age': PREFLIGHT_SECONDS,
      })
      .send();
  });
  if (isForAll) return;
  // Last, as answers set their own: what is kept of an answer must not be shown to another origin.
  app.addHook('onSend', (_request, reply, payload, done) => {
    const vary = reply.getHeader('vary');
    reply.header('Vary', vary === undefined ? 'Origin' : `${String(vary)}, Origin`);
    done(null, payload);
  });
}
