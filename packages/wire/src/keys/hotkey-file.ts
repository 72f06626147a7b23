import { pbkdf2Sync } from 'node:crypto';
import { generateMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { Keypair, fromHex, toHex } from './keypair.ts';
import { decodeAddress } from './ss58.ts';

const SEED = /^0x[0-9a-fA-F]{64}$/;
const PRIVATE_KEY = /^0x[0-9a-fA-F]{128}$/;
const SEED_BYTES = 32;
const ROUNDS = 2048;

/** What bittensor's tools write into `~/.bittensor/wallets/<name>/hotkeys/<hotkey>`, as JSON. */
export interface HotkeyFile {
  readonly accountId: string;
  readonly publicKey: string;
  readonly privateKey: string | null;
  readonly secretPhrase: string | null;
  readonly secretSeed: string | null;
  readonly ss58Address: string;
}

/** A key that was read: without a keypair it can only be named. */
export type HotkeyRead =
  | { readonly ok: true; readonly address: string; readonly keypair: Keypair | undefined }
  | { readonly ok: false; readonly reason: string };

/**
 * The seed of a phrase in substrate's way: of the words' entropy, where BIP-39 takes the words themselves.
 *
 * @throws Error where the words are no phrase. Its message does not name them.
 */
export function seedOfPhrase(phrase: string): Uint8Array {
  let entropy: Uint8Array;
  try {
    entropy = mnemonicToEntropy(phrase, wordlist);
  } catch {
    // The library's message quotes the phrase.
    throw new Error('the secret phrase is none: a word is unknown, missing or mistyped');
  }
  return pbkdf2Sync(entropy, 'mnemonic', ROUNDS, SEED_BYTES, 'sha512');
}

/**
 * Bittensor's own library writes the scalar of a private key plain, the polkadot libraries eight times as large: the one
 * that fits the public key is right.
 */
function keypairOf(privateKey: Uint8Array, publicKey: string): Keypair | undefined {
  const times8 = Uint8Array.from(privateKey);
  let carry = 0;
  for (let at = 0; at < SEED_BYTES; at += 1) {
    const byte = (privateKey[at] ?? 0) * 8 + carry;
    times8[at] = byte % 256;
    carry = Math.floor(byte / 256);
  }
  for (const secret of [privateKey, times8]) {
    try {
      const pair = new Keypair(secret);
      if (toHex(pair.publicKey) === publicKey.toLowerCase()) return pair;
    } catch {
      // Bytes that are no key in this form may be one in the other.
    }
  }
  return undefined;
}

function textMember(file: Readonly<Record<string, unknown>>, name: keyof HotkeyFile): string | undefined {
  const value = file[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What can sign, and a phrase for what is wrong with it. Read in bittensor's order: seed, phrase, private key. */
function keypairIn(file: Readonly<Record<string, unknown>>): Keypair | string | undefined {
  const seed = textMember(file, 'secretSeed');
  if (seed !== undefined) {
    return SEED.test(seed) ? Keypair.fromSeed(fromHex(seed)) : 'its secretSeed is not 0x and 64 hex digits';
  }
  const phrase = textMember(file, 'secretPhrase');
  if (phrase !== undefined) {
    try {
      return Keypair.fromSeed(seedOfPhrase(phrase));
    } catch (error) {
      return (error as Error).message;
    }
  }
  const privateKey = textMember(file, 'privateKey');
  if (privateKey === undefined) return undefined;
  if (!PRIVATE_KEY.test(privateKey)) return 'its privateKey is not 0x and 128 hex digits';
  const publicKey = textMember(file, 'publicKey') ?? textMember(file, 'accountId');
  if (publicKey === undefined) return 'it has a privateKey but no publicKey to check it by';
  return keypairOf(fromHex(privateKey), publicKey) ?? 'its privateKey does not belong to its publicKey';
}

/** Reads the text of a hotkey file. No reason it gives holds anything secret. */
export function readHotkeyFile(text: string): HotkeyRead {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    // Bittensor can encrypt the file; and the parser's message may quote what it read.
    return { ok: false, reason: 'it is not JSON: encrypted hotkeys are not read' };
  }
  if (typeof file !== 'object' || file === null) return { ok: false, reason: 'it holds no object' };
  const members = file as Readonly<Record<string, unknown>>;
  const keypair = keypairIn(members);
  if (typeof keypair === 'string') return { ok: false, reason: keypair };
  const address = textMember(members, 'ss58Address');
  if (address !== undefined && decodeAddress(address) === undefined)
    return { ok: false, reason: 'its ss58Address is no address' };
  if (keypair !== undefined && address !== undefined && keypair.address !== address)
    return { ok: false, reason: 'its secret does not belong to its ss58Address' };
  const known = keypair?.address ?? address;
  if (known === undefined) return { ok: false, reason: 'it has neither a secret nor an ss58Address' };
  return { ok: true, address: known, keypair };
}

/** A new key of twelve words, as the file that bittensor's tools read. */
export function createHotkeyFile(): HotkeyFile {
  const secretPhrase = generateMnemonic(wordlist);
  const seed = seedOfPhrase(secretPhrase);
  const { publicKey, address } = Keypair.fromSeed(seed);
  return {
    accountId: toHex(publicKey),
    publicKey: toHex(publicKey),
    privateKey: null,
    secretPhrase,
    secretSeed: toHex(seed),
    ss58Address: address,
  };
}
