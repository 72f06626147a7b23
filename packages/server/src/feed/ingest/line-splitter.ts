const NEWLINE = 0x0a;

/** Puts lines together from the pieces in which they arrive. Holds no more than one line. */
export class LineSplitter {
  readonly #limitBytes: number;
  #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  /** @param limitBytes of a line, its end not counted. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The lines that end in this piece, and whether one was longer than allowed: what follows it is not read. */
  push(piece: Uint8Array): { readonly lines: readonly string[]; readonly isTooLong: boolean } {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = piece.indexOf(NEWLINE, start);
      const rest = piece.subarray(start, end === -1 ? undefined : end);
      this.#sizeBytes += rest.byteLength;
      if (this.#sizeBytes > this.#limitBytes) return { lines, isTooLong: true };
      if (rest.byteLength > 0) this.#pieces.push(rest);
      if (end === -1) return { lines, isTooLong: false };
      lines.push(Buffer.concat(this.#pieces).toString());
      this.#pieces = [];
      this.#sizeBytes = 0;
      start = end + 1;
    }
  }
}
