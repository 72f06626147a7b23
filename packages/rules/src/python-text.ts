import { formatFloat } from '@ptn-api/positions';

/** An int as Python has it: of any size, and never equal in text to a float. */
export interface PythonInt {
  readonly int: bigint;
}

export interface PythonFloat {
  readonly float: number;
}

/** What Python's `json.loads` makes of a text, with ints and floats kept apart. */
export type PythonValue =
  null | boolean | string | PythonInt | PythonFloat | readonly PythonValue[] | PythonDict;

export type PythonDict = ReadonlyMap<string, PythonValue>;

export type PythonReading =
  { readonly ok: true; readonly value: PythonValue } | { readonly ok: false; readonly reason: string };

/** Strings, to be passed over even where they do not end, and what Python takes for a number. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\[^])*"?|NaN|-?Infinity|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const INT = /^-?\d+$/;
/** Python refuses to read longer ints. */
const MAX_INT_DIGITS = 4300;
const MAX_DEPTH = 100;

function numberOf(lexeme: string): PythonInt | PythonFloat {
  if (!INT.test(lexeme)) return { float: Number(lexeme) };
  if (lexeme.length > MAX_INT_DIGITS) throw new RangeError(`an integer of ${lexeme.length} digits`);
  return { int: BigInt(lexeme) };
}

/** The value behind the marks that `readPython` put before every string and number. */
function unmark(value: unknown, depth: number): PythonValue {
  if (depth > MAX_DEPTH) throw new RangeError(`nested more than ${MAX_DEPTH} deep`);
  if (typeof value === 'string') return value.startsWith('n') ? numberOf(value.slice(1)) : value.slice(1);
  if (Array.isArray(value)) return value.map((item) => unmark(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value as boolean | null;
  return new Map(Object.entries(value).map(([key, item]) => [key.slice(1), unmark(item, depth + 1)]));
}

/** Reads JSON as Python's `json.loads` does, which also takes NaN and Infinity. Of a key that stands twice the last counts. */
export function readPython(text: string): PythonReading {
  // JSON.parse does the parsing. It reads 1.0 and 1 as the same, so every number goes through it as a marked string.
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') ? `"s${token.slice(1)}` : `"n${token}"`,
  );
  try {
    return { ok: true, value: unmark(JSON.parse(marked), 0) };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** `repr` of a float. */
export function floatText(value: number): string {
  if (Number.isFinite(value)) return formatFloat(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** What `repr` escapes in a string besides quotes and backslashes: all that does not print. */
const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const [letter, digits] = code <= 0xff ? ['x', 2] : code <= 0xffff ? ['u', 4] : ['U', 8];
  return SHORT_ESCAPES[character] ?? `\\${letter}${code.toString(16).padStart(digits, '0')}`;
}

function stringText(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`);
  return quote + escaped.replace(UNPRINTABLE, escapeOf) + quote;
}

function isDict(value: PythonValue): value is PythonDict {
  return value instanceof Map;
}

/** `repr` of a value. */
export function reprOf(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return stringText(value);
  if (isDict(value)) {
    return `{${[...value].map(([key, item]) => `${stringText(key)}: ${reprOf(item)}`).join(', ')}}`;
  }
  if ('int' in value) return String(value.int);
  if ('float' in value) return floatText(value.float);
  return `[${value.map(reprOf).join(', ')}]`;
}

/** `str` of a value, which shows a string without quotes. */
export function strOf(value: PythonValue): string {
  return typeof value === 'string' ? value : reprOf(value);
}

/** The name of a value's type. */
export function typeNameOf(value: PythonValue): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  if (isDict(value)) return 'dict';
  return 'int' in value ? 'int' : 'float' in value ? 'float' : 'list';
}

/** A value that Python counts with, booleans included, as a number; `undefined` for any other. */
export function numericOf(value: PythonValue | undefined): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === null || value === undefined || typeof value === 'string' || isDict(value)) return undefined;
  if ('int' in value) return Number(value.int);
  return 'float' in value ? value.float : undefined;
}
