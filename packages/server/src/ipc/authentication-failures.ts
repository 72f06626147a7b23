import { WindowCounts } from '@ptn-api/core';
import type { ServerLimits } from '../config/config.ts';
import { addressGroup, ExemptAddresses } from './client-address.ts';

const WINDOW_MS = 60_000;
const MOST_ADDRESSES = 20_000;

/** Failed authentications by address, of this process. */
export class AuthenticationFailures {
  readonly #limit: number;
  readonly #exempt: ExemptAddresses;
  readonly #counts = new WindowCounts({ windowMs: WINDOW_MS, most: MOST_ADDRESSES });
  readonly #now: () => number;

  /** @param now ms of a clock that nobody sets. */
  constructor(
    limits: Pick<ServerLimits, 'authFailuresPerMinute' | 'trustedProxies'>,
    now: () => number = () => performance.now(),
  ) {
    this.#limit = limits.authFailuresPerMinute;
    this.#exempt = new ExemptAddresses(limits.trustedProxies);
    this.#now = now;
  }

  add(address: string): void {
    if (this.#limit > 0 && !this.#exempt.has(address)) this.#counts.add(addressGroup(address), this.#now());
  }

  /** For how many seconds an address is refused, also with a key that counts; `undefined` where it is not. */
  refusedForSeconds(address: string): number | undefined {
    if (this.#limit === 0) return undefined;
    const leftMs = this.#counts.fullForMs(addressGroup(address), this.#limit, this.#now());
    return leftMs === undefined ? undefined : Math.ceil(leftMs / 1000);
  }
}
