import type { FastifyBaseLogger, FastifyInstance } from 'fastify';

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

/**
 * The same for what the miner can do without: signals matter more than a page.
 *
 * @returns the address; undefined where no port is free, which the log says then.
 */
export async function listenIfPossible(
  app: FastifyInstance,
  begin: number,
  end: number,
  log: FastifyBaseLogger,
): Promise<string | undefined> {
  try {
    return `http://127.0.0.1:${await listenOnFreePort(app, begin, end)}`;
  } catch (error) {
    if (!(error instanceof PortsInUseError)) throw error;
    log.error(
      `Unable to start miner dashboard with error ${error.message} Restart miner and specify a new port if desired.`,
    );
    return undefined;
  }
}
