import { WindowCounts } from './window-counts.ts';
import { addressGroup, ExemptAddresses } from '../addresses/client-address.ts';

const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 20_000;

/** How often one address may do something in a minute, in this process. */
export class AddressLimit {
  readonly #perMinute: number;
  readonly #exempt: ExemptAddresses;
  readonly #counts = new WindowCounts({ windowMs: WINDOW_MS, most: MAX_ADDRESSES });
  readonly #now: () => number;

  /**
   * @param perMinute 0: as often as it likes
   * @param trustedProxies they speak for many clients and have no limit, as this machine has none
   * @param now monotonic ms
   */
  constructor(
    perMinute: number,
    trustedProxies: readonly string[],
    now: () => number = () => performance.now(),
  ) {
    this.#perMinute = perMinute;
    this.#exempt = new ExemptAddresses(trustedProxies);
    this.#now = now;
  }

  /**
   * Counts once more, as long as that is allowed.
   *
   * @param isOfOtherSite a page of another site did it, which is not what the programs of its reader do: it is counted
   *   by itself
   * @returns for how many seconds it is no longer allowed; `undefined` while it is
   */
  add(address: string, isOfOtherSite = false): number | undefined {
    if (this.#perMinute === 0 || this.#exempt.has(address)) return undefined;
    const who = `${addressGroup(address)}${isOfOtherSite ? ' other sites' : ''}`;
    const leftMs = this.#counts.fullForMs(who, this.#perMinute, this.#now());
    if (leftMs !== undefined) return Math.ceil(leftMs / 1000);
    this.#counts.add(who, this.#now());
    return undefined;
  }
}
