import { formatFloat } from './format-float.ts';

/**
 * Which numbers of a value are Python floats, since JavaScript cannot tell 1.0 from 1:
 * `float` a float; `plain` text, null, true, false or a number that is an int when whole; `fields` an object with known
 * fields, written in this order where present; `items` a list; `values` an object with any keys; `tuple` a list with a
 * shape for each place. Null is allowed everywhere.
 */
export type Shape =
  | 'float'
  | 'plain'
  | { readonly fields: Readonly<Record<string, Shape>> }
  | { readonly items: Shape }
  | { readonly values: Shape }
  | { readonly tuple: readonly Shape[] };

type Writer = (value: unknown) => string;

// Everything outside printable ASCII: json.dumps escapes it, JSON.stringify does not.
const NOT_ASCII = /[\u007f-\uffff]/g;

/** Text as a JSON string, in ASCII. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(
    NOT_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function unexpected(value: unknown, wanted: string): TypeError {
  return new TypeError(`expected ${wanted}, got ${typeof value}`);
}

function writePlain(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') throw unexpected(value, 'text, a number or a boolean');
  return Number.isInteger(value) ? String(value) : formatFloat(value);
}

function writeFloat(value: unknown): string {
  if (typeof value !== 'number') throw unexpected(value, 'a float');
  return formatFloat(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsWriter(fields: Readonly<Record<string, Shape>>): Writer {
  const writers = Object.entries(fields).map(
    ([key, shape]) => [key, `${quote(key)}: `, pythonJsonWriter(shape)] as const,
  );
  return (value) => {
    if (!isRecord(value)) throw unexpected(value, 'an object');
    for (const key of Object.keys(value)) {
      // A field that no shape declares would be lost without a word.
      if (!Object.hasOwn(fields, key)) throw new TypeError(`field ${key} is in no shape`);
    }
    let text = '';
    for (const [key, label, write] of writers) {
      const field = value[key];
      if (field !== undefined) text += `${text === '' ? '' : ', '}${label}${write(field)}`;
    }
    return `{${text}}`;
  };
}

function listWriter(writeItem: (item: unknown, index: number) => string): Writer {
  return (value) => {
    if (!Array.isArray(value)) throw unexpected(value, 'a list');
    return `[${value.map(writeItem).join(', ')}]`;
  };
}

function shapeWriter(shape: Shape): Writer {
  if (shape === 'float') return writeFloat;
  if (shape === 'plain') return writePlain;
  if ('fields' in shape) return fieldsWriter(shape.fields);
  if ('items' in shape) {
    const write = pythonJsonWriter(shape.items);
    return listWriter((item) => write(item));
  }
  if ('values' in shape) {
    const write = pythonJsonWriter(shape.values);
    return (value) => {
      if (!isRecord(value)) throw unexpected(value, 'an object');
      return joinMembers(Object.entries(value).map(([key, field]) => [key, write(field)]));
    };
  }
  const writers = shape.tuple.map(pythonJsonWriter);
  return listWriter((item, index) => {
    const write = writers[index];
    if (write === undefined) throw new TypeError(`a list of ${writers.length} holds more`);
    return write(item);
  });
}

/** A writer of values of this shape, byte for byte as Python's `json.dumps` would write them. */
export function pythonJsonWriter(shape: Shape): Writer {
  const write = shapeWriter(shape);
  return (value) => (value === null ? 'null' : write(value));
}

/** An object of members that are written already. */
export function joinMembers(members: readonly (readonly [key: string, text: string])[]): string {
  return `{${members.map(([key, text]) => `${quote(key)}: ${text}`).join(', ')}}`;
}
