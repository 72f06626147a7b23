import { isJsonObject, JsonNumber, pythonFloat, pythonInt } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';

/** What a field may hold, with the leniency of the Python side. `optional` kinds take null as well. */
export type FieldKind =
  | 'bool'
  | 'int'
  | 'list'
  | 'object'
  | 'text'
  | 'optional float'
  | 'optional int'
  | 'optional text'
  | 'terminal';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly initial: JsonValue;
  /** Characters of a text, entries of an object. */
  readonly maxLength?: number;
}

/** What both ends say of themselves, in the order of the body. */
export const TERMINAL_FIELDS = [
  ['status_code', 'optional int'],
  ['status_message', 'optional text'],
  ['process_time', 'optional float'],
  ['ip', 'optional text'],
  ['port', 'optional int'],
  ['version', 'optional int'],
  ['nonce', 'optional int'],
  ['uuid', 'optional text'],
  ['hotkey', 'optional text'],
  ['signature', 'optional text'],
] as const satisfies readonly (readonly [string, FieldKind])[];

const BOOL_TEXT = /^(?:[01]|on|off|t|f|true|false|y|n|yes|no)$/i;

function isInt(value: JsonValue): boolean {
  if (typeof value === 'string') return pythonInt(value) !== undefined;
  return typeof value === 'boolean' || (value instanceof JsonNumber && Number.isFinite(value.value));
}

function isFloat(value: JsonValue): boolean {
  if (typeof value === 'string') return pythonFloat(value) !== undefined;
  return typeof value === 'boolean' || value instanceof JsonNumber;
}

function isBool(value: JsonValue): boolean {
  if (typeof value === 'string') return BOOL_TEXT.test(value);
  return typeof value === 'boolean' || (value instanceof JsonNumber && [0, 1].includes(value.value));
}

const isText = (value: JsonValue): boolean => typeof value === 'string';

const FITS: Readonly<Record<FieldKind, (value: JsonValue) => boolean>> = {
  bool: isBool,
  int: isInt,
  list: Array.isArray,
  object: isJsonObject,
  text: isText,
  'optional float': (value) => value === null || isFloat(value),
  'optional int': (value) => value === null || isInt(value),
  'optional text': (value) => value === null || isText(value),
  terminal: (value) =>
    isJsonObject(value) && TERMINAL_FIELDS.every(([name, kind]) => FITS[kind](value.get(name) ?? null)),
};

function lengthOf(value: JsonValue): number {
  if (typeof value === 'string') return Array.from(value).length;
  return isJsonObject(value) ? value.size : 0;
}

/**
 * The declared fields of an object in their order, what is missing filled in and what is unknown left out.
 *
 * @returns or, as a text, which field does not fit.
 */
export function readFields(fields: readonly Field[], body: JsonObject): Map<string, JsonValue> | string {
  const read = new Map<string, JsonValue>();
  for (const { name, kind, initial, maxLength = Infinity } of fields) {
    const value = body.get(name) ?? (body.has(name) ? null : initial);
    if (!FITS[kind](value)) return `${name} is no ${kind}`;
    if (lengthOf(value) > maxLength) return `${name} is longer than ${maxLength}`;
    read.set(name, value);
  }
  return read;
}

const TRUE_TEXT = /^(?:1|on|t|true|y|yes)$/i;

/** The truth of a field of kind `bool`. */
export function boolOf(value: JsonValue | undefined): boolean {
  if (typeof value === 'string') return TRUE_TEXT.test(value);
  return value === true || (value instanceof JsonNumber && value.value === 1);
}
