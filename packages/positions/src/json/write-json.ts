import { numberText } from '../python/python-number.ts';
import { JsonNumber, isJsonObject } from './json-value.ts';
import type { JsonValue } from './json-value.ts';
import { quote } from './python-json.ts';

/** How a JSON text is laid out. */
interface Layout {
  readonly comma: string;
  readonly colon: string;
  readonly text: (value: string) => string;
  /** What stands for the numbers that JSON has no way to write. */
  readonly nonFinite: Readonly<Record<string, string>>;
}

/** As Python's `json.dumps` has it. */
const PYTHON: Layout = {
  comma: ', ',
  colon: ': ',
  text: quote,
  nonFinite: { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' },
};

/** For readers of strict JSON. */
const COMPACT: Layout = {
  comma: ',',
  colon: ':',
  text: JSON.stringify,
  nonFinite: { nan: 'null', inf: 'null', '-inf': 'null' },
};

function written(value: JsonValue, layout: Layout): string {
  const { comma, colon, text, nonFinite } = layout;
  if (typeof value === 'string') return text(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (value instanceof JsonNumber) {
    const number = numberText(value);
    return nonFinite[number] ?? number;
  }
  const inner = (item: JsonValue): string => written(item, layout);
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
  return written(value, PYTHON);
}

/**
 * The same as Python's web frameworks answer it: no blanks, and letters as they are. `NaN` and the infinities are null,
 * where those would refuse to answer at all.
 */
export function writeCompactJson(value: JsonValue): string {
  return written(value, COMPACT);
}
