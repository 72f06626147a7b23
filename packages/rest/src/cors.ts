import type { FastifyInstance, FastifyReply } from 'fastify';

/** What of an answer a page may read besides the headers that every page may. */
const EXPOSED_HEADERS = [
  'Allow',
  'ETag',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Epoch',
  'X-Generation',
  'X-Request-Id',
  'X-Sequence',
].join(', ');
/** Every header that this server reads and a page may set. */
const ALLOWED_HEADERS = [
  'Authorization',
  'Content-Type',
  'If-Match',
  'If-Modified-Since',
  'If-None-Match',
  'If-Unmodified-Since',
  'X-Request-Id',
].join(', ');
const PREFLIGHT_SECONDS = 7200;

/** The headers of an answer to a page of this origin; what nobody knows the origin of is for all or for none. */
export function corsHeaders(origins: readonly string[], origin?: string): Record<string, string> {
  const isForAll = origins.includes('*');
  if (!isForAll && (origin === undefined || !origins.includes(origin))) return {};
  return {
    'Access-Control-Allow-Origin': isForAll ? '*' : (origin ?? '*'),
    'Access-Control-Expose-Headers': EXPOSED_HEADERS,
  };
}

/** Lets pages of these origins read every answer in browsers, `*`: of all. Their keys are theirs to show: no cookie counts. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    const headers = corsHeaders(origins, origin);
    reply.headers(headers);
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (origin === undefined || Object.keys(headers).length === 0 || !isPreflight) {
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
  // Last, as answers set their own.
  app.addHook('onSend', (_request, reply, payload, done) => {
    varyByOrigin(reply, origins);
    done(null, payload);
  });
}

/** What is kept of an answer must not be shown to another origin. */
export function varyByOrigin(reply: FastifyReply, origins: readonly string[]): void {
  if (origins.length === 0 || origins.includes('*')) return;
  const vary = reply.getHeader('vary');
  reply.header('Vary', vary === undefined ? 'Origin' : `${String(vary)}, Origin`);
}
