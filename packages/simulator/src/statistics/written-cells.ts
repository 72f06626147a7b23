/**
 * The cells of a ledger that were complete when they were written. They never change again: what is found out later about
 * their time counts in the next cell.
 */
export interface WrittenCells<Cell, Sums> {
  readonly cells: Cell[];
  /** What they come to, as it was known when the last of them was written. */
  sums: Sums;
}

/** The written cells of ledgers, each with a name of its own. */
export class WrittenLedgers<Cell, Sums> {
  readonly #byName = new Map<string, WrittenCells<Cell, Sums>>();
  readonly #none: Sums;

  /** @param none what no cells come to. */
  constructor(none: Sums) {
    this.#none = none;
  }

  /** To read, and to add to. */
  of(name: string): WrittenCells<Cell, Sums> {
    let written = this.#byName.get(name);
    if (written === undefined) this.#byName.set(name, (written = { cells: [], sums: this.#none }));
    return written;
  }
}
