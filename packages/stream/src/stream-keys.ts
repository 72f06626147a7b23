import { KeyRing } from '@ptn-api/access';
import type { KeyGrant } from '@ptn-api/runtime';

/** Who may connect, and whether one who is connected still may: found by digest, so that no key is kept. */
export class StreamKeys {
  #ring = new KeyRing([]);

  replace(entries: readonly KeyGrant[]): void {
    this.#ring = new KeyRing(entries);
  }

  lookup(key: string, nowMs: number): KeyGrant | undefined {
    return this.#ring.lookup(key, nowMs);
  }

  /** What the key with this digest allows by now; `undefined` where it was removed or has expired. */
  current(digest: string, nowMs: number): KeyGrant | undefined {
    return this.#ring.current(digest, nowMs);
  }
}
