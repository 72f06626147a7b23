const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = Buffer.from('"\\{}[]');
const BLANKS = new Set(Buffer.from(' \t\r\n'));

/**
 * Reads a JSON text in pieces, however large it is: whether it is one object with nothing missing at its end and
 * nothing behind. What stands inside is not parsed.
 */
export class CompleteObject {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #hasBegun = false;
  #problem: string | undefined;

  add(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isInString = false;
        continue;
      }
      if (BLANKS.has(byte)) continue;
      if (!this.#hasBegun && byte !== OPEN_BRACE) this.#problem ??= 'is not a JSON object';
      if (this.#hasBegun && this.#depth === 0) this.#problem ??= 'has something behind its end';
      this.#hasBegun = true;
      if (byte === QUOTE) this.#isInString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth -= 1;
      if (this.#problem !== undefined) return;
    }
  }

  /** What is wrong with the text, now that all of it was read: a phrase that goes on "the file …". */
  problem(): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    return this.#hasBegun && this.#depth === 0 && !this.#isInString ? undefined : 'ends too soon';
  }
}
