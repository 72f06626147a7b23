/** How it went: `lost` on its way, as a process that has too many files open cannot be given one; or nobody is there. */
export type Taken = 'taken' | 'lost' | 'not-taken';

/** A connection that is being given to a worker: one at a time. */
export class Handover {
  #settle: ((taken: Taken) => void) | undefined;
  /** The first ping that is sent behind it. */
  #nextPing = Infinity;

  /** @param lastPing the number of the last ping before it */
  begin(lastPing: number): Promise<Taken> {
    this.#nextPing = lastPing + 1;
    return new Promise((resolve) => (this.#settle = resolve));
  }

  /** Messages keep their order, but Node gives up those whose handle did not arrive, and tells nobody. */
  answered(ping: number): void {
    if (ping >= this.#nextPing) this.settle('lost');
  }

  settle(taken: Taken): void {
    this.#settle?.(taken);
    this.#settle = undefined;
    this.#nextPing = Infinity;
  }
}
