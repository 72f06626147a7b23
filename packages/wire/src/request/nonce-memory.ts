/** As long as the bounds of a nonce's age let a request be sent again. */
interface Remembered {
  readonly nonceNs: bigint;
  readonly untilNs: bigint;
}

/** The last accepted nonce of each sender's run. Forgets one when a repetition would be too old anyway. */
export class NonceMemory {
  /** In the order in which they expire: each is kept for the same time. */
  readonly #last = new Map<string, Remembered>();
  readonly #keptNs: bigint;

  /** @param keptNs the width of the window in which nonces are accepted. */
  constructor(keptNs: bigint) {
    this.#keptNs = keptNs;
  }

  get size(): number {
    return this.#last.size;
  }

  lastOf(sender: string, uuid: string | undefined): bigint | undefined {
    return this.#last.get(`${sender}:${uuid}`)?.nonceNs;
  }

  remember(sender: string, uuid: string | undefined, nonceNs: bigint, nowNs: bigint): void {
    for (const [key, { untilNs }] of this.#last) {
      if (untilNs > nowNs) break;
      this.#last.delete(key);
    }
    const key = `${sender}:${uuid}`;
    this.#last.delete(key);
    this.#last.set(key, { nonceNs, untilNs: nowNs + this.#keptNs });
  }
}
