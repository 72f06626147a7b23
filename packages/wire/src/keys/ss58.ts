import { createHash } from 'node:crypto';
import { base58 } from '@scure/base';

/** The address type of all chains without one of their own, Bittensor's among them. */
const PREFIX = 42;
const KEY_BYTES = 32;
const CHECKSUM_BYTES = 2;

function checksum(body: Uint8Array): Uint8Array {
  return createHash('blake2b512').update('SS58PRE').update(body).digest().subarray(0, CHECKSUM_BYTES);
}

/** The SS58 address of a public key of 32 bytes: 47 or 48 characters, the first a 5. */
export function encodeAddress(publicKey: Uint8Array): string {
  const body = Uint8Array.of(PREFIX, ...publicKey);
  return base58.encode(Uint8Array.of(...body, ...checksum(body)));
}

/** The public key of an address; undefined where it is no SS58 address of Bittensor's type. */
export function decodeAddress(address: string): Uint8Array | undefined {
  // Longer texts are not decoded: base58 takes quadratic time.
  if (address.length > 50) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = base58.decode(address);
  } catch {
    return undefined;
  }
  const body = bytes.subarray(0, 1 + KEY_BYTES);
  if (bytes.length !== 1 + KEY_BYTES + CHECKSUM_BYTES || body[0] !== PREFIX) return undefined;
  return Buffer.compare(checksum(body), bytes.subarray(1 + KEY_BYTES)) === 0 ? body.subarray(1) : undefined;
}
