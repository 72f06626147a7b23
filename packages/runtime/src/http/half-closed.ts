import type { Server } from 'node:http';

/**
 * Has clients answered that end their side behind the request and still read (shutdown, as `nc -N` does). Node would end
 * the server's side, too, and cut whatever is not written yet.
 */
export function answerHalfClosed(server: Server): void {
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
}
