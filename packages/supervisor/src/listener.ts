import cluster from 'node:cluster';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Logger } from 'pino';
import type { AddressLimit } from '@ptn-api/access';
import { maxConnections, StartError } from '@ptn-api/runtime';
import type { Taken } from './handover.ts';

/** Who serves connections. Takes one at a time; see `WorkerChild.takeConnection`. */
export interface ConnectionTarget {
  takeConnection(socket: Socket): Promise<Taken>;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Where to listen. */
export interface ListenPlace extends ListenAddress {
  /** The option that chooses the port, for the error that says it cannot be opened. */
  readonly flag: string;
}

export interface ListenerLimits {
  /** The most connections that wait for a worker; a further one is dropped. */
  readonly waiting: number;
  /** A connection that no worker took within this time is dropped. */
  readonly waitingMs: number;
}

/**
 * New connections of one address in a minute, on each port: 10 clients behind it that open one for each request of 600 a
 * minute. Each costs this process some 0.5 ms.
 */
export const CONNECTIONS_PER_MINUTE = 6000;

/** How full the entrance is. */
export interface ConnectionCounts {
  /** Accepted, and not yet given to a worker. */
  readonly waiting: number;
  /** Since the start: closed unanswered, because no worker took them or the system had no room for them. */
  readonly dropped: number;
}

/** One process has the listeners of both ports. */
const DEFAULT_LIMITS: ListenerLimits = {
  waiting: Math.min(4096, Math.floor(maxConnections() / 2)),
  waitingMs: 10_000,
};
/** What the kernel keeps for us while the supervisor is busy; the system may allow less (net.core.somaxconn). */
const BACKLOG = 4096;
/** Drops are logged together, so that a flood of connections is not one of log lines. */
const DROP_LOG_EVERY_MS = 1000;

interface WaitingConnection {
  readonly socket: Socket;
  readonly timer: NodeJS.Timeout;
}

/**
 * One entrance of the server: owns a listening socket and gives each connection, unread, to the worker that has been
 * free for longest. While no worker is there, connections wait: a crash or a restart of all workers refuses nobody.
 */
export class Listener {
  readonly #log: Logger;
  readonly #limits: ListenerLimits;
  readonly #server: Server;
  readonly #targets = new Set<ConnectionTarget>();
  readonly #free: ConnectionTarget[] = [];
  readonly #waiting: WaitingConnection[] = [];
  #isClosed = false;
  #dropped = 0;
  #dropsToLog = 0;
  #onIdle: (() => void) | undefined;

  constructor(log: Logger, limits: ListenerLimits = DEFAULT_LIMITS, perAddress?: Pick<AddressLimit, 'add'>) {
    this.#log = log;
    this.#limits = limits;
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      if (perAddress?.add(socket.remoteAddress ?? '') !== undefined) {
        this.#drop(socket, `its address had opened ${CONNECTIONS_PER_MINUTE} within a minute`);
        return;
      }
      // A client that goes away while it waits is found out by the worker; nothing depends on it here.
      socket.on('error', () => socket.destroy());
      this.#wait(socket, false);
    });
  }

  /**
   * Opens the port.
   *
   * @throws StartError when it cannot be opened.
   */
  async listen(place: ListenPlace): Promise<void> {
    await openPort(this.#server, place);
    if (this.#isClosed) this.#server.close();
    this.#server.on('error', (error) => {
      this.#noteDrop(`it could not be accepted: ${error.message}`);
    });
  }

  /** Where it listens; undefined before and after. */
  address(): ListenAddress | undefined {
    const address = this.#server.address() as AddressInfo | null;
    return address === null ? undefined : { host: address.address, port: address.port };
  }

  counts(): ConnectionCounts {
    return { waiting: this.#waiting.length, dropped: this.#dropped };
  }

  add(target: ConnectionTarget): void {
    this.#targets.add(target);
    this.#free.push(target);
    this.#dispatch();
  }

  /** From now on `target` is given nothing; what it is taking just now it may finish taking. */
  remove(target: ConnectionTarget): void {
    this.#targets.delete(target);
    const index = this.#free.indexOf(target);
    if (index !== -1) this.#free.splice(index, 1);
  }

  /** Closes the port; gives what waits to the workers, for `withinMs` at most, and drops the rest. */
  async close(withinMs: number): Promise<void> {
    this.#isClosed = true;
    if (this.#server.listening) this.#server.close();
    if (this.#waiting.length > 0 && this.#targets.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const { socket, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      this.#drop(socket);
    }
  }

  #wait(socket: Socket, isFirst: boolean): void {
    if (this.#waiting.length >= this.#limits.waiting) {
      this.#drop(socket);
      return;
    }
    const timer = setTimeout(() => {
      this.#waiting.splice(this.#waiting.indexOf(connection), 1);
      this.#drop(socket);
    }, this.#limits.waitingMs);
    const connection = { socket, timer };
    if (isFirst) this.#waiting.unshift(connection);
    else this.#waiting.push(connection);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#free.length > 0) {
      const connection = this.#waiting.shift();
      if (connection === undefined) {
        this.#onIdle?.();
        return;
      }
      clearTimeout(connection.timer);
      const target = this.#free.shift();
      if (target !== undefined) void this.#give(connection.socket, target);
    }
  }

  async #give(socket: Socket, target: ConnectionTarget): Promise<void> {
    const taken = await target.takeConnection(socket);
    if (taken !== 'not-taken') {
      if (taken === 'lost') this.#drop(socket, 'it did not reach its worker');
      // Only this process's handle: the worker has its own.
      else socket.destroy();
      if (this.#targets.has(target)) this.#free.push(target);
      this.#dispatch();
      return;
    }
    this.remove(target);
    this.#wait(socket, true);
  }

  #drop(socket: Socket, reason = 'no worker took it in time'): void {
    socket.destroy();
    this.#noteDrop(reason);
  }

  #noteDrop(reason: string): void {
    this.#dropped += 1;
    this.#dropsToLog += 1;
    if (this.#dropsToLog > 1) return;
    setTimeout(() => {
      const fields = { event: 'connections-dropped', count: this.#dropsToLog, reason };
      this.#log.warn(fields, `connections were closed unanswered; of the first: ${reason}`);
      this.#dropsToLog = 0;
    }, DROP_LOG_EVERY_MS).unref();
  }
}

/**
 * Finds out before anything is started whether the port can be opened.
 *
 * In pm2's cluster mode there is nothing to find out: pm2 holds the port, and shares it with the process that is being
 * replaced.
 *
 * @throws StartError when it cannot.
 */
export async function probePort(place: ListenPlace): Promise<void> {
  if (place.port === 0 || cluster.isWorker) return;
  const server = createServer();
  await openPort(server, place);
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'this user may not open it',
  EADDRNOTAVAIL: 'this machine does not have the address',
};

function openPort(server: Server, { host, port, flag }: ListenPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const detail = LISTEN_ERRORS[error.code ?? ''] ?? error.message;
      const values = { address: `${host}:${port}`, detail, flag };
      reject(new StartError('PTN_ERR_START_PORT', values, { cause: error }));
    });
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}
