/** Text that is not JSON. `position` is the offset, in UTF-16 units, of what does not belong there. */
export class JsonSyntaxError extends SyntaxError {
  override readonly name = 'JsonSyntaxError';
  readonly position: number;

  constructor(what: string, position: number) {
    super(`${what} at position ${position}`);
    this.position = position;
  }
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const LITERALS = ['true', 'false', 'null', 'NaN', 'Infinity', '-Infinity'];
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * What is open around the value in hand: one byte for each level, in a list of its own instead of the call stack, so
 * that no depth of nesting can overflow it. Kept between calls, which never overlap.
 */
let levels = new Uint8Array(256);

/** The error for what stands at `at`, which may be the end of the text. */
export function unexpected(text: string, at: number, wanted: string): JsonSyntaxError {
  const found = text.codePointAt(at);
  const what =
    found === undefined
      ? 'unexpected end of text'
      : `unexpected ${JSON.stringify(String.fromCodePoint(found))}`;
  return new JsonSyntaxError(`${what} instead of ${wanted}`, at);
}

/** The offset of the first character at or after `at` that is no JSON whitespace. */
export function skipSpace(text: string, at: number): number {
  let i = at;
  for (;;) {
    const c = text.charCodeAt(i);
    if (c !== SPACE && c !== NEWLINE && c !== RETURN && c !== TAB) return i;
    i += 1;
  }
}

/** The offset behind the string that opens at `at`. */
export function skipString(text: string, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) throw unexpected(text, at, 'a string');
  let i = at + 1;
  for (;;) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) return i + 1;
    if (c === BACKSLASH) {
      ESCAPE.lastIndex = i;
      if (!ESCAPE.test(text)) throw new JsonSyntaxError('bad escape in a string', i);
      i = ESCAPE.lastIndex;
    } else if (c >= SPACE) {
      i += 1;
    } else {
      // Also where the text ends, for which charCodeAt gives NaN.
      throw i < text.length
        ? new JsonSyntaxError('control character in a string', i)
        : unexpected(text, i, 'the end of a string');
    }
  }
}

function skipDigits(text: string, at: number): number {
  let i = at;
  for (;;) {
    const c = text.charCodeAt(i);
    if (!(c >= ZERO && c <= NINE)) break;
    i += 1;
  }
  if (i === at) throw unexpected(text, at, 'a digit');
  return i;
}

function skipNumber(text: string, at: number): number {
  let i = text.charCodeAt(at) === MINUS ? at + 1 : at;
  i = text.charCodeAt(i) === ZERO ? i + 1 : skipDigits(text, i);
  if (text.charCodeAt(i) === POINT) i = skipDigits(text, i + 1);
  if ((text.charCodeAt(i) | 0x20) === 0x65) {
    const sign = text.charCodeAt(i + 1);
    i = skipDigits(text, sign === PLUS || sign === MINUS ? i + 2 : i + 1);
  }
  return i;
}

function skipScalar(text: string, at: number): number {
  const c = text.charCodeAt(at);
  if (c === QUOTE) return skipString(text, at);
  if (c >= ZERO && c <= NINE) return skipNumber(text, at);
  const literal = LITERALS.find((name) => text.startsWith(name, at));
  if (literal !== undefined) return at + literal.length;
  if (c === MINUS) return skipNumber(text, at);
  throw unexpected(text, at, 'a value');
}

/** The offset behind a key and its colon, with whitespace around them. */
export function skipKey(text: string, at: number): number {
  const colon = skipSpace(text, skipString(text, skipSpace(text, at)));
  if (text.charCodeAt(colon) !== COLON) throw unexpected(text, colon, '":"');
  return colon + 1;
}

/**
 * The offset behind the JSON value that begins at `at` or after whitespace there. The whole value is checked, without
 * building it. Python's `NaN`, `Infinity` and `-Infinity` count as values. What follows the value is not read.
 *
 * @throws JsonSyntaxError
 */
export function skipValue(text: string, at: number): number {
  let depth = 0;
  let i = at;
  for (;;) {
    i = skipSpace(text, i);
    const c = text.charCodeAt(i);
    if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      const inner = skipSpace(text, i + 1);
      if (text.charCodeAt(inner) === c + 2) {
        i = inner + 1;
      } else {
        if (depth === levels.length) {
          const grown = new Uint8Array(depth * 2);
          grown.set(levels);
          levels = grown;
        }
        levels[depth] = c;
        depth += 1;
        i = c === OPEN_BRACE ? skipKey(text, inner) : inner;
        continue;
      }
    } else {
      i = skipScalar(text, i);
    }
    for (;;) {
      if (depth === 0) return i;
      i = skipSpace(text, i);
      const isObject = levels[depth - 1] === OPEN_BRACE;
      const d = text.charCodeAt(i);
      if (d === COMMA) {
        i = isObject ? skipKey(text, i + 1) : i + 1;
        break;
      }
      if (d !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET))
        throw unexpected(text, i, isObject ? '"," or "}"' : '"," or "]"');
      i += 1;
      depth -= 1;
    }
  }
}
