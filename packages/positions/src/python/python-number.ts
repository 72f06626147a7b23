import { formatFloat } from '../json/format-float.ts';
import type { JsonNumber } from '../json/json-value.ts';

// What Python counts as blank at the ends of a number.
const BLANK = String.raw`[\t-\r\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*`;
const DIGITS = String.raw`\d(?:_?\d)*`;
const INTEGER = new RegExp(`^${BLANK}([+-]?${DIGITS})${BLANK}$`);
const FLOAT = new RegExp(
  `^${BLANK}([+-]?(?:(?:${DIGITS})?\\.${DIGITS}|${DIGITS}\\.?)(?:[eE][+-]?${DIGITS})?)${BLANK}$`,
);
const SPECIAL = new RegExp(`^${BLANK}([+-]?)(inf|infinity|nan)${BLANK}$`, 'i');

/** Python takes the decimal digits of every script. They stand in Unicode in unbroken runs of ten, zero first. */
function inAsciiDigits(text: string): string {
  return text.replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    let first = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((code - first) % 10);
  });
}

/** What Python's `int()` makes of a text; undefined where it raises. */
export function pythonInt(text: string): bigint | undefined {
  const digits = INTEGER.exec(inAsciiDigits(text))?.[1]?.replaceAll('_', '');
  if (digits === undefined) return undefined;
  return digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits.replace('+', ''));
}

/** What Python's `float()` makes of a text: `" 0.25 "`, `1_0` and `inf` are numbers. Undefined where it raises. */
export function pythonFloat(text: string): number | undefined {
  const special = SPECIAL.exec(text);
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? -Infinity : Infinity;
  }
  const digits = FLOAT.exec(inAsciiDigits(text))?.[1]?.replaceAll('_', '');
  return digits === undefined ? undefined : Number(digits);
}

/** A float as Python's `str()` writes it. */
export function floatText(value: number): string {
  if (Number.isFinite(value)) return formatFloat(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** A number of JSON as Python's `str()` writes it: an integer with all its digits, else the shortest of its double. */
export function numberText(number: JsonNumber): string {
  if (!number.isInteger) return floatText(number.value);
  return number.lexeme === '-0' ? '0' : number.lexeme;
}
