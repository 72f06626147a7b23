import type { Socket } from 'node:net';
import type { ServerLimits } from '../config.ts';
import { addressGroup, ExemptAddresses } from '@ptn-api/access';
import { maxConnections } from '../open-files.ts';

/** Refusals are logged together, so that a flood of connections is not one of log lines. */
const LOG_EVERY_MS = 10_000;

export interface SocketLimitsOptions {
  readonly limits: Pick<ServerLimits, 'connectionsPerAddress' | 'unauthenticated' | 'trustedProxies'>;
  readonly log: { readonly warn: (fields: object, text: string) => void };
  /** How many this process holds; by default as many as it may have open files for. */
  readonly maxOpen?: number;
}

/**
 * How many connections this process holds: of one address, of those that have shown no key yet, and in all. Of those without
 * a key the oldest makes room for a new one: an honest client shows its key at once, so a crowd of idle ones shuts nobody out.
 */
export class SocketLimits {
  readonly #options: SocketLimitsOptions;
  readonly #maxOpen: number;
  readonly #exempt: ExemptAddresses;
  readonly #byAddress = new Map<string, number>();
  /** The oldest first. */
  readonly #unauthenticated = new Set<Socket>();
  #open = 0;
  #toLog = { full: 0, idle: 0 };

  constructor(options: SocketLimitsOptions) {
    this.#options = options;
    this.#maxOpen = options.maxOpen ?? maxConnections();
    this.#exempt = new ExemptAddresses(options.limits.trustedProxies);
  }

  get unauthenticatedCount(): number {
    return this.#unauthenticated.size;
  }

  /** False: it is closed, and must not be served. */
  admit(socket: Socket): boolean {
    const { connectionsPerAddress: most, unauthenticated } = this.#options.limits;
    const address = socket.remoteAddress;
    // It is closed already.
    if (address === undefined) {
      socket.destroy();
      return false;
    }
    const group = addressGroup(address);
    const count = this.#byAddress.get(group) ?? 0;
    if (most > 0 && count >= most && !this.#exempt.has(address)) {
      this.#note('full');
      socket.destroy();
      return false;
    }
    this.#byAddress.set(group, count + 1);
    this.#unauthenticated.add(socket);
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
      this.#unauthenticated.delete(socket);
      const left = (this.#byAddress.get(group) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(group, left);
      else this.#byAddress.delete(group);
    });
    const [oldest] = this.#unauthenticated;
    const isFull = this.#unauthenticated.size > unauthenticated || this.#open > this.#maxOpen;
    if (isFull && oldest !== undefined) {
      this.#note('idle');
      // At once, and not with its event: that many may come before it.
      this.#unauthenticated.delete(oldest);
      oldest.destroy();
    }
    // Itself, where every other has shown its key.
    return oldest !== socket || !isFull;
  }

  /** It has shown a key that counts. */
  authenticated(socket: Socket): void {
    this.#unauthenticated.delete(socket);
  }

  #note(reason: 'full' | 'idle'): void {
    const isLogDue = this.#toLog.full + this.#toLog.idle > 0;
    this.#toLog[reason] += 1;
    if (isLogDue) return;
    setTimeout(() => {
      const { full, idle } = this.#toLog;
      this.#options.log.warn(
        { event: 'connections-refused', perAddress: full, unauthenticated: idle },
        `connections were closed: ${full} above the limit of their address, ${idle} that showed no key to make room`,
      );
      this.#toLog = { full: 0, idle: 0 };
    }, LOG_EVERY_MS).unref();
  }
}
