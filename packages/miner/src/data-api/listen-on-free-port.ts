import type { FastifyInstance } from 'fastify';

/** No port of a range is free. */
export class PortsInUseError extends Error {
  override readonly name = 'PortsInUseError';
}

/**
 * Listens on the first free port of a range, on this machine only.
 *
 * @param end behind the last one.
 * @returns the port.
 * @throws PortsInUseError
 */
export async function listenOnFreePort(app: FastifyInstance, begin: number, end: number): Promise<number> {
  for (let port = begin; port < end; port += 1) {
    try {
      await app.listen({ host: '127.0.0.1', port });
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new PortsInUseError(`All ports from [${begin}, ${end}) in use. Aborting dashboard.`);
}
