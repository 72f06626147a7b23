import { createHash } from 'node:crypto';
import type { KeyTier } from '@ptn-api/protocol';

/** What one key allows. Holds the key's digest only, so it may be sent between processes. */
export interface KeyGrant {
  /** SHA-256 of the key, lower-case hex. */
  readonly sha256: string;
  readonly userId: string;
  readonly tier: KeyTier;
  readonly maxConnections?: number;
  /** Requests per minute. */
  readonly rateLimit?: number;
  /** Unix ms from which on the key counts as unknown. */
  readonly expiresMs?: number;
}

/** The digest by which a key is known: SHA-256 of its UTF-8 bytes, lower-case hex. */
export function keyDigest(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/**
 * The keys that count. Found by digest: the time a look-up takes discloses nothing about any key, and a dump of the
 * process's memory holds none of them.
 */
export class KeyRing {
  readonly #byDigest: ReadonlyMap<string, KeyGrant>;

  constructor(grants: readonly KeyGrant[]) {
    this.#byDigest = new Map(grants.map((grant) => [grant.sha256, grant]));
  }

  /** @param nowMs Unix ms, for keys that expire. */
  lookup(key: string, nowMs: number): KeyGrant | undefined {
    // Also where the file holds the digest of the empty text.
    return key === '' ? undefined : this.current(keyDigest(key), nowMs);
  }

  /** What the key with this digest allows by now; `undefined` where it was removed or has expired. */
  current(digest: string, nowMs: number): KeyGrant | undefined {
    const grant = this.#byDigest.get(digest);
    return grant?.expiresMs !== undefined && nowMs >= grant.expiresMs ? undefined : grant;
  }
}
