import { JsonNumber } from './json-value.ts';
import type { JsonValue } from './json-value.ts';

/** Deeper texts are refused: CPython stops near 1,000, and no signal or answer has more than five levels. */
const MAX_DEPTH = 500;
/** CPython reads no integer with more digits. */
const MAX_INTEGER_DIGITS = 4300;

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// oxlint-disable-next-line no-control-regex -- what JSON forbids in strings
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const UNICODE = /[0-9a-fA-F]{4}/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const LITERALS = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', new JsonNumber('NaN')],
  ['Infinity', new JsonNumber('Infinity')],
  ['-Infinity', new JsonNumber('-Infinity')],
] as const;

/** Text that is not JSON, said as Python says it: others compare these texts. */
export class JsonTextError extends SyntaxError {
  override readonly name = 'JsonTextError';
  /** What is wrong, such as `Expecting value`. */
  readonly problem: string;
  /** Where, in code points from the beginning. */
  readonly position: number;

  constructor(problem: string, text: string, at: number) {
    const before = Array.from(text.slice(0, at));
    const line = before.filter((character) => character === '\n').length + 1;
    const column = before.length - before.lastIndexOf('\n');
    super(`${problem}: line ${line} column ${column} (char ${before.length})`);
    this.problem = problem;
    this.position = before.length;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): JsonValue {
    if (this.#text.startsWith('\ufeff')) throw this.#error('Unexpected UTF-8 BOM (decode using utf-8-sig)');
    this.#space();
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#error('Extra data');
    return value;
  }

  #error(problem: string, at = this.#at): JsonTextError {
    return new JsonTextError(problem, this.#text, at);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #space(): void {
    this.#match(SPACE);
  }

  /** Steps over the character if it is the next one. */
  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #value(): JsonValue {
    if (this.#text[this.#at] === '"') return this.#string();
    if (this.#skip('{')) return this.#nested(() => this.#object());
    if (this.#skip('[')) return this.#nested(() => this.#array());
    for (const [name, value] of LITERALS) {
      if (!this.#text.startsWith(name, this.#at)) continue;
      this.#at += name.length;
      return value;
    }
    return this.#number();
  }

  #number(): JsonNumber {
    const begin = this.#at;
    const lexeme = this.#match(NUMBER);
    if (lexeme === undefined) throw this.#error('Expecting value');
    const number = new JsonNumber(lexeme);
    if (number.isInteger && lexeme.replace('-', '').length > MAX_INTEGER_DIGITS) {
      throw this.#error(`Exceeds the limit (${MAX_INTEGER_DIGITS} digits) for integers`, begin);
    }
    return number;
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#error('Nested too deeply');
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): Map<string, JsonValue> {
    const members = new Map<string, JsonValue>();
    this.#space();
    if (this.#skip('}')) return members;
    for (;;) {
      if (this.#text[this.#at] !== '"')
        throw this.#error('Expecting property name enclosed in double quotes');
      const key = this.#string();
      this.#space();
      if (!this.#skip(':')) throw this.#error("Expecting ':' delimiter");
      this.#space();
      members.set(key, this.#value());
      this.#space();
      if (this.#skip('}')) return members;
      if (!this.#skip(',')) throw this.#error("Expecting ',' delimiter");
      this.#space();
    }
  }

  #array(): JsonValue[] {
    const elements: JsonValue[] = [];
    this.#space();
    if (this.#skip(']')) return elements;
    for (;;) {
      elements.push(this.#value());
      this.#space();
      if (this.#skip(']')) return elements;
      if (!this.#skip(',')) throw this.#error("Expecting ',' delimiter");
      this.#space();
    }
  }

  #string(): string {
    const begin = this.#at;
    this.#at += 1;
    let read = '';
    for (;;) {
      read += this.#match(PLAIN) ?? '';
      if (this.#skip('"')) return read;
      if (this.#at >= this.#text.length) throw this.#error('Unterminated string starting at', begin);
      if (!this.#skip('\\')) throw this.#error('Invalid control character at');
      const letter = this.#text[this.#at];
      if (letter === undefined) throw this.#error('Unterminated string starting at', begin);
      this.#at += 1;
      read += letter === 'u' ? this.#codeUnit() : this.#escape(letter);
    }
  }

  #escape(letter: string): string {
    const character = ESCAPES[letter];
    if (character === undefined) throw this.#error('Invalid \\escape', this.#at - 2);
    return character;
  }

  /** Two of them that are a pair become one character by being next to each other. */
  #codeUnit(): string {
    const digits = this.#match(UNICODE);
    if (digits === undefined) throw this.#error('Invalid \\uXXXX escape', this.#at - 1);
    return String.fromCharCode(Number.parseInt(digits, 16));
  }
}

/**
 * Reads JSON as Python does: numbers keep their lexeme, keys their order, `NaN` and the infinities are values, of a key
 * that stands twice the last value counts at the first place.
 *
 * @throws JsonTextError
 */
export function parseJson(text: string): JsonValue {
  return new Reader(text).whole();
}
