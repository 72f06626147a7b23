import { signatureProblem } from '../keys/keypair.ts';
import type { NonceMemory } from './nonce-memory.ts';
import type { RequestHeaders } from './request-headers.ts';
import { signedText } from './sign-request.ts';

const SECOND_NS = 1_000_000_000n;
/** How far clocks may be apart, in either direction. */
const ALLOWED_DELTA_NS = 4n * SECOND_NS;
/** A sender's timeout widens the age limit and is not signed: it counts up to the longest that the network uses. */
const MAX_TIMEOUT_NS = 15n * SECOND_NS;

/** How long a {@link NonceMemory} keeps a nonce: from the newest that is accepted to the oldest. */
export const NONCE_WINDOW_NS = ALLOWED_DELTA_NS + MAX_TIMEOUT_NS + ALLOWED_DELTA_NS;

const SIGNATURE_TEXTS = {
  'not hex': () => 'Signature is not a 0x string',
  length: () => 'Signature length is not 64',
  mismatch: (text: string, signature: string | undefined) =>
    `Signature mismatch with ${text} and ${signature}`,
} as const;

function timeoutNs(seconds: number | undefined): bigint {
  if (seconds === undefined || !(seconds > 0)) return 0n;
  return seconds * 1e9 >= Number(MAX_TIMEOUT_NS) ? MAX_TIMEOUT_NS : BigInt(Math.round(seconds * 1e9));
}

const asSeconds = (ns: bigint): string => (Number(ns) / 1e9).toFixed(2);

function ageProblem(nonceNs: bigint, timeoutSeconds: number | undefined, nowNs: bigint): string | undefined {
  const limitNs = ALLOWED_DELTA_NS + timeoutNs(timeoutSeconds);
  if (nonceNs <= nowNs - limitNs) {
    return `Nonce is too old: acceptable delta is ${asSeconds(limitNs)} seconds but request was ${asSeconds(nowNs - nonceNs)} seconds old`;
  }
  if (nonceNs > nowNs + ALLOWED_DELTA_NS) {
    return `Nonce is from the future: acceptable delta is ${asSeconds(ALLOWED_DELTA_NS)} seconds but request is ${asSeconds(nonceNs - nowNs)} seconds ahead`;
  }
  return undefined;
}

/**
 * Why the sender that the headers name is not believed, in the words of bittensor's axon; undefined where it is. A
 * believed nonce is remembered, so that the same request is refused the next time.
 *
 * @param sender a registered hotkey.
 * @param axonHotkey the validator's own.
 */
export function senderProblem(
  headers: RequestHeaders,
  sender: string,
  axonHotkey: string,
  nonces: NonceMemory,
  nowNs: bigint,
): string | undefined {
  const { nonceNs, uuid, signature } = headers;
  if (nonceNs === undefined) return 'Missing Nonce';
  const last = nonces.lastOf(sender, uuid);
  if (last !== undefined && nonceNs <= last) return 'Nonce is too old, a newer one was last processed';
  const age = ageProblem(nonceNs, headers.timeoutSeconds, nowNs);
  if (age !== undefined) return age;
  const text = signedText(nonceNs, sender, axonHotkey, uuid ?? 'None', headers.bodyHash);
  const problem = signatureProblem(sender, text, signature);
  if (problem !== undefined) return SIGNATURE_TEXTS[problem](text, signature);
  nonces.remember(sender, uuid, nonceNs, nowNs);
  return undefined;
}
