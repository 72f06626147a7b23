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

/** Lets pages of these origins read every answer in browsers, `*`: of all. Their keys are theirs to show: no cookie counts. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  // Loaded only where it is used: that takes some 30 ms of a start.
  app.register(import('@fastify/cors'), {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: 'GET, HEAD',
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  });
}

/** The same for what Fastify answers before any hook: a request that cannot be read, a path that is none. */
export function corsHeaders(origins: readonly string[], origin?: string): Record<string, string> {
  if (origins.includes('*')) return { 'Access-Control-Allow-Origin': '*' };
  if (origins.length === 0) return {};
  const isAllowed = origin !== undefined && origins.includes(origin);
  return { ...(isAllowed && { 'Access-Control-Allow-Origin': origin }), Vary: 'Origin' };
}

/** What is kept of an answer must not be shown where another encoding is asked for; other reasons to vary stay. */
export function varyByEncoding(reply: FastifyReply): void {
  const vary = reply.getHeader('Vary');
  reply.header('Vary', vary === undefined ? 'Accept-Encoding' : `Accept-Encoding, ${String(vary)}`);
}
