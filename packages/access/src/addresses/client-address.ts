import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import type { IPv4, IPv6 } from 'ipaddr.js';

type Address = IPv4 | IPv6;
type Block = [Address, number];

const LOOPBACK: readonly Block[] = [ipaddr.parseCIDR('127.0.0.0/8'), ipaddr.parseCIDR('::1/128')];
/** From where the programs of this machine, such as a proxy, connect as a rule. */
const THIS_MACHINE: readonly Block[] = [ipaddr.parseCIDR('127.0.0.1/32'), ipaddr.parseCIDR('::1/128')];
/** `address:port`, as Azure's gateway writes X-Forwarded-For. */
const IPV4_WITH_PORT = /^([\d.]+):\d{1,5}$/;
/** `[address]` and `[address]:port`. */
const IN_BRACKETS = /^\[([^\]]+)\](?::\d{1,5})?$/;
/** Which network card a link-local address belongs to is no part of it. */
const ZONE = /%.*$/;
const DOTTED_TAIL = /(?:^|:)([^:]*\.[^:]*)$/;
/** NAT64 (RFC 6052): the last 32 bits are an IPv4 address. */
const NAT64 = ipaddr.parseCIDR('64:ff9b::/96') as [IPv6, number];
/** Where one /64 network holds many clients: a local NAT64 (RFC 8215), Teredo, IPv4-compatible addresses. */
const SHARED_NETWORKS = ['64:ff9b:1::/48', '2001::/32', '::/96'].map(
  (block) => ipaddr.parseCIDR(block) as [IPv6, number],
);
/** The part of an IPv6 address that its holder cannot choose: of the rest it has 2^64. */
const NETWORK_BITS = 64;
const NO_ADDRESS = 'no address';
/** Parsing takes some 20 µs, and a limit asks for the same address several times with each request. */
const recent = new Map<string, Address | undefined>();
const MAX_RECENT = 1000;
const MAX_RECENT_CHARACTERS = 64;

function parseAddress(text: string): Address | undefined {
  if (recent.has(text)) return recent.get(text);
  const address = parse(text);
  if (recent.size >= MAX_RECENT) recent.clear();
  if (text.length <= MAX_RECENT_CHARACTERS) recent.set(text, address);
  return address;
}

/**
 * The address that a text means, whatever way it is written: with a port, in brackets or quotes, with a zone, mapped or
 * translated (NAT64) from IPv4, which it then is. `undefined` for everything else.
 */
function parse(text: string): Address | undefined {
  const bare = text
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .trim();
  const plain = (IN_BRACKETS.exec(bare)?.[1] ?? IPV4_WITH_PORT.exec(bare)?.[1] ?? bare).replace(ZONE, '');
  // In the IPv4 part ipaddr.js takes octal and other numbers that the rest of the world does not.
  const dotted = DOTTED_TAIL.exec(plain)?.[1];
  if (dotted !== undefined && !ipaddr.IPv4.isValidFourPartDecimal(dotted)) return undefined;
  if (dotted === undefined && !ipaddr.IPv6.isValid(plain)) return undefined;
  if (!ipaddr.isValid(plain)) return undefined;
  const address = ipaddr.process(plain);
  return address.kind() === 'ipv6' && address.match(NAT64)
    ? ipaddr.fromByteArray(address.toByteArray().slice(-4))
    : address;
}

/** An address in its one usual writing; a text that is none as it is. */
export function plainAddress(text: string): string {
  return parseAddress(text)?.toString() ?? text;
}

/** By what one client is counted: an IPv4 address, or the /64 network of an IPv6 address. */
export function addressGroup(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) return NO_ADDRESS;
  const isShared = address.kind() === 'ipv6' && SHARED_NETWORKS.some((block) => address.match(block));
  if (address.kind() === 'ipv4' || isShared) return address.toString();
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${NETWORK_BITS}`);
  return `${network.toString()}/${NETWORK_BITS}`;
}

/** A request as the server that received it describes it. */
export interface ForwardedRequest {
  readonly raw: Pick<IncomingMessage, 'socket'>;
  /** Of the peer, then what trusted proxies forwarded; absent where no proxy is trusted. */
  readonly ips?: readonly string[] | undefined;
}

/**
 * The address of the client: what the furthest trusted proxy forwards, or, where that is no address (`unknown`, a
 * made-up name), the address of the proxy itself.
 */
export function clientAddress({ raw, ips = [] }: ForwardedRequest): string {
  const forwarded = ips.findLast((text) => parseAddress(text) !== undefined);
  return plainAddress(forwarded ?? raw.socket.remoteAddress ?? NO_ADDRESS);
}

/**
 * The block of addresses that an entry of `--trust-proxy` names: an address, a CIDR block, `loopback`.
 *
 * @returns none for anything else, and for a block of all addresses, which would let everybody choose its own.
 */
export function parseProxy(entry: string): readonly Block[] {
  if (entry === 'loopback') return LOOPBACK;
  const [text = '', bits, ...more] = entry.split('/');
  const address = parseAddress(text);
  if (address === undefined || more.length > 0 || /[[\]"%\s]/.test(entry)) return [];
  const maxBits = address.kind() === 'ipv4' ? 32 : 128;
  if (bits === undefined) return [[address, maxBits]];
  const count = /^\d{1,3}$/.test(bits) ? Number(bits) : 0;
  return count >= 1 && count <= maxBits ? [[address, count]] : [];
}

function isIn(blocks: readonly Block[], text: string | undefined): boolean {
  const address = text === undefined ? undefined : parseAddress(text);
  if (address === undefined) return false;
  // A block and an address of different families never match; ipaddr.js would throw.
  return blocks.some(([start, bits]) => start.kind() === address.kind() && address.match(start, bits));
}

/** Whether an address is one of the trusted proxies, for Fastify. An empty list trusts nobody. */
export function trustFunction(proxies: readonly string[]): (address: string | undefined) => boolean {
  const blocks = proxies.flatMap(parseProxy);
  return (address) => isIn(blocks, address);
}

/**
 * Addresses that speak for many clients: this machine's own, where a proxy may stand, and the proxies that are trusted.
 * They are exempt from limits per address, or one client would lock out all that come the same way.
 */
export class ExemptAddresses {
  readonly #blocks: readonly Block[];

  /** @param proxies entries of `--trust-proxy`. */
  constructor(proxies: readonly string[]) {
    this.#blocks = [...THIS_MACHINE, ...proxies.flatMap(parseProxy)];
  }

  has(address: string): boolean {
    return isIn(this.#blocks, address);
  }
}
