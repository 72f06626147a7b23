import { BlockList, isIP } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** The part of an IPv6 address that its holder cannot choose: of the rest it has 2^64. */
const NETWORK_GROUPS = 4;
const LONGEST = 64;

function expand(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<string>(missing).fill('0'), ...after];
}

/** An IPv4 address in its own writing, also where it came over a socket of IPv6. */
export function plainAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

/** By what one client is counted: an IPv4 address, or the /64 network of an IPv6 address. */
export function addressGroup(address: string): string {
  const plain = plainAddress(address);
  // What a proxy passes on need not be an address.
  if (isIP(plain) !== 6) return plain.slice(0, LONGEST);
  const groups = expand(plain.replace(/%.*$/, '')).slice(0, NETWORK_GROUPS);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/**
 * Addresses that speak for many clients: this machine's own, where a proxy may stand, and the proxies that are trusted.
 * No limit of one address counts for them, or one client would lock out all that come the same way.
 */
export class SharedAddresses {
  readonly #list = new BlockList();

  /** @param proxies addresses, CIDR blocks, `loopback`. */
  constructor(proxies: readonly string[]) {
    this.#list.addSubnet('127.0.0.0', 8, 'ipv4');
    this.#list.addAddress('::1', 'ipv6');
    for (const proxy of proxies) {
      if (proxy === 'loopback') continue;
      const [address = '', bits] = proxy.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }
}
