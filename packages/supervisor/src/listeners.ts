import type { Logger } from 'pino';
import type { ServerConfig, ServingRole } from '@ptn-api/runtime';
import { AddressLimit } from '@ptn-api/access';
import { CONNECTIONS_PER_MINUTE, Listener, probePort } from './listener.ts';
import type { ConnectionCounts, ListenAddress, ListenPlace } from './listener.ts';

/** Something of each entrance, by the role of the workers behind it. */
export type ByRole<T> = Readonly<Record<ServingRole, T>>;

function byRole<T>(of: (role: ServingRole) => T): ByRole<T> {
  return { rest: of('rest'), ws: of('ws') };
}

/** The listening ports of the server, one for the workers of each role that serves connections. */
export class Listeners {
  readonly #places: ByRole<ListenPlace>;
  readonly #listeners: ByRole<Listener>;
  #addresses: ByRole<ListenAddress> | undefined;

  constructor({ host, restPort, wsPort, limits }: ServerConfig, log: Logger) {
    this.#places = {
      rest: { host, port: restPort, flag: '--api-rest-port' },
      ws: { host, port: wsPort, flag: '--api-ws-port' },
    };
    this.#listeners = byRole(
      (role) =>
        new Listener(
          log.child({ role }),
          undefined,
          new AddressLimit(CONNECTIONS_PER_MINUTE, limits.trustedProxies),
        ),
    );
  }

  /**
   * Finds out before anything is started whether the ports can be opened.
   *
   * @throws StartError when one cannot.
   */
  async probe(): Promise<void> {
    for (const place of Object.values(this.#places)) await probePort(place);
  }

  /**
   * Opens the ports.
   *
   * @throws StartError when one cannot be opened; the one before it stays open until `close`.
   */
  async open(): Promise<void> {
    // One after the other: in pm2's cluster mode, ports that the system chooses are distinguished by this order.
    await this.#listeners.rest.listen(this.#places.rest);
    await this.#listeners.ws.listen(this.#places.ws);
    const [rest, ws] = [this.#listeners.rest.address(), this.#listeners.ws.address()];
    // Undefined when `close` was called meanwhile.
    if (rest !== undefined && ws !== undefined) this.#addresses = { rest, ws };
  }

  /** Where the server listens, or did before `close`. @throws Error before the ports are open. */
  addresses(): ByRole<ListenAddress> {
    if (this.#addresses === undefined) throw new Error('the server does not listen yet');
    return this.#addresses;
  }

  of(role: ServingRole): Listener {
    return this.#listeners[role];
  }

  counts(): ByRole<ConnectionCounts> {
    return byRole((role) => this.#listeners[role].counts());
  }

  /** Closes the ports; gives what waits to the workers, for `withinMs` at most, and drops the rest. */
  async close(withinMs: number): Promise<void> {
    await Promise.all(Object.values(this.#listeners).map((listener) => listener.close(withinMs)));
  }
}
