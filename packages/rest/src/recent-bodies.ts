import type { Snapshot } from './snapshots/snapshot.ts';

/** What is kept at most: some 200 of the largest that are answered at once. */
const KEPT_BYTES = 24 * 1024 * 1024;

/** The small bodies that were sent last, joined: who follows one miner asks for the same bytes again and again. */
export class RecentBodies {
  readonly #keptBytes: number;
  /** By digest, the one that was sent last at the end. */
  readonly #bodies = new Map<string, Buffer>();
  #sizeBytes = 0;

  constructor(keptBytes = KEPT_BYTES) {
    this.#keptBytes = keptBytes;
  }

  /** The snapshot's gzip member in one piece. It is shared: never write to it. */
  of({ digest, pieces }: Snapshot): Buffer {
    let body = this.#bodies.get(digest);
    if (body === undefined) {
      body = Buffer.concat([...pieces()]);
      this.#sizeBytes += body.length;
    } else {
      this.#bodies.delete(digest);
    }
    this.#bodies.set(digest, body);
    for (const [oldest, { length }] of this.#bodies) {
      if (this.#sizeBytes <= this.#keptBytes) break;
      this.#bodies.delete(oldest);
      this.#sizeBytes -= length;
    }
    return body;
  }
}
