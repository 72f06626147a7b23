import { numberText } from '../python-number.ts';
import { JsonNumber, isJsonObject } from './json-value.ts';
import type { JsonValue } from './json-value.ts';

const NON_FINITE: Readonly<Record<string, string>> = { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' };

/** A text in ASCII, as Python's `json.dumps` writes it. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function written(value: JsonValue, comma: string, colon: string, text: (value: string) => string): string {
  if (typeof value === 'string') return text(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (value instanceof JsonNumber) {
    const number = numberText(value);
    return NON_FINITE[number] ?? number;
  }
  const inner = (item: JsonValue): string => written(item, comma, colon, text);
  if (isJsonObject(value)) {
    return `{${[...value].map(([key, item]) => `${text(key)}${colon}${inner(item)}`).join(comma)}}`;
  }
  return `[${value.map(inner).join(comma)}]`;
}

/**
 * JSON as Python's `json.dumps` lays it out: a blank behind each colon and comma, ASCII only, floats in their shortest
 * form, `NaN` and the infinities by these names.
 */
export function writeJson(value: JsonValue): string {
  return written(value, ', ', ': ', quoted);
}

/** The same as Python's web frameworks answer it: no blanks, and letters as they are. */
export function writeCompactJson(value: JsonValue): string {
  return written(value, ',', ':', JSON.stringify);
}
