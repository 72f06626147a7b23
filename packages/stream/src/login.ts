import type { KeyGrant } from '@ptn-api/runtime';
import { parseAuthentication } from './client-message.ts';
import type { Authentication } from './client-message.ts';
import type { Refusal } from './refusal.ts';

export const STREAM_TIER = 100;

/** A key, and where its client wants to go on. */
export type Login = Pick<Authentication & { kind: 'authentication' }, 'key' | 'resume' | 'isLegacy'>;

/** What decides whether a key may open a connection. */
export interface LoginHost {
  readonly now: () => number;
  readonly lookup: (key: string, nowMs: number) => KeyGrant | undefined;
  /** For how many seconds a key gets no further connection because its own evict each other. */
  readonly crowdedForSeconds: (grant: KeyGrant) => number | undefined;
  /** Its key does not count. For how many seconds further ones of its address are refused, if they are. */
  readonly onRefused: () => number | undefined;
}

/** What the key allows, or why it opens nothing. */
export function admit(
  key: string,
  { now, lookup, crowdedForSeconds, onRefused }: LoginHost,
): { readonly grant: KeyGrant } | { readonly refusal: Refusal } {
  const grant = lookup(key, now());
  if (grant === undefined) {
    const seconds = onRefused();
    return seconds === undefined
      ? { refusal: { code: 'PTN_ERR_WS_AUTH_INVALID' } }
      : { refusal: { code: 'PTN_ERR_WS_AUTH_TOO_MANY_FAILURES', values: { seconds } } };
  }
  if (grant.tier < STREAM_TIER) return { refusal: { code: 'PTN_ERR_WS_TIER_ACCESS' } };
  const seconds = crowdedForSeconds(grant);
  return seconds === undefined ? { grant } : { refusal: { code: 'PTN_ERR_WS_CROWDED', values: { seconds } } };
}

/**
 * The login that a client has sent as its first message, too, after its handshake had the key; `undefined` where the
 * message is another one, or of another key.
 */
export function repeatedLogin(
  text: string,
  digest: string | undefined,
  { now, lookup }: LoginHost,
): Login | undefined {
  const message = parseAuthentication(text);
  if (message.kind !== 'authentication') return undefined;
  return lookup(message.key, now())?.sha256 === digest ? message : undefined;
}
