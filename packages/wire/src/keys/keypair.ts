import { HDKD, getPublicKey, secretFromSeed, sign, verify } from '@scure/sr25519';
import { decodeAddress, encodeAddress } from './ss58.ts';

const SIGNATURE = /^0x[0-9a-fA-F]{128}$/;
const CHAIN_CODE_BYTES = 32;

export const toHex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;
export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice(2), 'hex'));

/** An sr25519 key that can sign. The secret is kept where no log and no `JSON.stringify` finds it. */
export class Keypair {
  readonly publicKey: Uint8Array;
  readonly address: string;
  readonly #secret: Uint8Array;

  /** @param secret of 64 bytes, in the form of the polkadot libraries. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
    this.publicKey = getPublicKey(secret);
    this.address = encodeAddress(this.publicKey);
  }

  /** @param seed of 32 bytes. */
  static fromSeed(seed: Uint8Array): Keypair {
    return new Keypair(secretFromSeed(seed));
  }

  /** The key at a hard junction below this one: `derive('Alice')` is `//Alice`. @param name of at most 31 letters. */
  derive(name: string): Keypair {
    const code = new Uint8Array(CHAIN_CODE_BYTES);
    // SCALE's length of a short text, then the text.
    code.set(Uint8Array.of(name.length * 4, ...Buffer.from(name, 'ascii')));
    return new Keypair(HDKD.secretHard(this.#secret, code));
  }

  /** `0x` and 128 hex digits. Signing the same text again gives another signature. */
  sign(text: string): string {
    return toHex(sign(this.#secret, Buffer.from(text)));
  }
}

/** What is wrong with a signature, in the words that validators answer; undefined where it is the address's own. */
export type SignatureProblem = 'not hex' | 'length' | 'mismatch';

/**
 * Checks a signature over the text, or over the text between `<Bytes>` and `</Bytes>`, which is what browser wallets
 * sign.
 */
export function signatureProblem(
  address: string,
  text: string,
  signature: string | undefined,
): SignatureProblem | undefined {
  if (!signature?.startsWith('0x') || /[^0-9a-fA-F]/.test(signature.slice(2))) return 'not hex';
  if (!SIGNATURE.test(signature)) return 'length';
  const publicKey = decodeAddress(address);
  if (publicKey === undefined) return 'mismatch';
  const bytes = fromHex(signature);
  const isBy = (message: string): boolean => {
    try {
      return verify(Buffer.from(message), bytes, publicKey);
    } catch {
      // The library throws for bytes that are no signature at all.
      return false;
    }
  };
  return isBy(text) || isBy(`<Bytes>${text}</Bytes>`) ? undefined : 'mismatch';
}
