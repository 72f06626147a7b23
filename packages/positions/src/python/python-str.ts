import { JsonNumber, isJsonObject } from '../json/json-value.ts';
import type { JsonValue } from '../json/json-value.ts';
import { numberText } from './python-number.ts';

/** Unicode's "other" and "separator" categories, without the blank; lone surrogates are among them. */
const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/u;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function hexEscape(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

/** What counts as printable is as of the Unicode version of this Node. */
function textRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = quote;
  for (const character of text) {
    if (character === quote) written += `\\${quote}`;
    else if (UNPRINTABLE.test(character)) {
      written += SHORT_ESCAPES[character] ?? hexEscape(character.codePointAt(0) ?? 0);
    } else written += SHORT_ESCAPES[character] ?? character;
  }
  return written + quote;
}

/** What Python's `repr()` makes of a value that it read from JSON. */
export function pythonRepr(value: JsonValue): string {
  if (typeof value === 'string') return textRepr(value);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value instanceof JsonNumber) return numberText(value);
  if (isJsonObject(value)) {
    return `{${[...value].map(([key, inner]) => `${textRepr(key)}: ${pythonRepr(inner)}`).join(', ')}}`;
  }
  return `[${value.map(pythonRepr).join(', ')}]`;
}

/**
 * What Python's `str()` makes of it: `{'a': 1, 'b': [1.0, True, None, 'x']}`; a text by itself has no quotes. The hash of
 * a request is made of this text.
 */
export function pythonStr(value: JsonValue): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}

/** The name of its type in Python. */
export function pythonTypeName(value: JsonValue): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  if (value instanceof JsonNumber) return value.isInteger ? 'int' : 'float';
  return isJsonObject(value) ? 'dict' : 'list';
}
