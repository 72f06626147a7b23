import type { FastifyRequest } from 'fastify';

/**
 * Whether a page of another site sent the request: of none that is listed, and not of the server's own host, as its own
 * page is on the REST port.
 */
export function isOfOtherSite(
  { headers, host }: Pick<FastifyRequest, 'headers' | 'host'>,
  origins: readonly string[],
): boolean {
  const { origin } = headers;
  if (origin === undefined || origins.includes(origin)) return false;
  const own = `http://${host}`;
  return !URL.canParse(origin) || !URL.canParse(own) || new URL(origin).hostname !== new URL(own).hostname;
}
