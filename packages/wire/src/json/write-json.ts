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

/**
 * JSON as Python's `json.dumps` lays it out: a blank behind each colon and comma, ASCII only, floats in their shortest
 * form, `NaN` and the infinities by these names.
 */
export function writeJson(value: JsonValue): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (value instanceof JsonNumber) {
    const text = numberText(value);
    return NON_FINITE[text] ?? text;
  }
  if (isJsonObject(value)) {
    return `{${[...value].map(([key, inner]) => `${quoted(key)}: ${writeJson(inner)}`).join(', ')}}`;
  }
  return `[${value.map(writeJson).join(', ')}]`;
}
