import { createHash } from 'node:crypto';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** The address type of a generic Substrate chain, which Bittensor uses: what makes every hotkey start with a 5. */
const ADDRESS_TYPE = 42;

/** The SS58 address (48 characters, with a valid checksum) of a public key of 32 bytes. */
export function hotkeyOf(publicKey: Uint8Array): string {
  const payload = Buffer.concat([Uint8Array.of(ADDRESS_TYPE), publicKey]);
  const checksum = createHash('blake2b512').update('SS58PRE').update(payload).digest().subarray(0, 2);
  let rest = BigInt(`0x${Buffer.concat([payload, checksum]).toString('hex')}`);
  let text = '';
  while (rest > 0n) {
    text = `${ALPHABET.charAt(Number(rest % 58n))}${text}`;
    rest /= 58n;
  }
  return text;
}
