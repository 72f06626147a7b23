import { formatFloat } from './format-float.ts';

const INTEGER = /^-?\d+$/;

/** A number as it was written: `1` and `1.0` are two things to Python, and the hash of a body is made of its text. */
export class JsonNumber {
  readonly lexeme: string;

  constructor(lexeme: string) {
    this.lexeme = lexeme;
  }

  /** @param value becomes a float, whatever it is: `1` is written as `1.0`. */
  static float(value: number): JsonNumber {
    return new JsonNumber(Number.isFinite(value) ? formatFloat(value) : nonFinite(value));
  }

  get isInteger(): boolean {
    return INTEGER.test(this.lexeme);
  }

  get value(): number {
    return Number(this.lexeme);
  }
}

function nonFinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

/** An object with its keys in the order of the text, which an object of JavaScript loses for keys such as `"1"`. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

/** The value as `JSON.parse` would give it, with `NaN` and the infinities as numbers. */
export function plainValue(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return value.value;
  if (isJsonObject(value))
    return Object.fromEntries([...value].map(([key, inner]) => [key, plainValue(inner)]));
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(plainValue) : value;
}

/** What `JSON.parse` gives, as a {@link JsonValue}. A number without a fraction becomes an integer. */
export function jsonValueOf(value: unknown): JsonValue {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? new JsonNumber(String(value)) : JsonNumber.float(value);
  }
  if (
    value === null ||
    typeof value === 'boolean' ||
    typeof value === 'string' ||
    value instanceof JsonNumber
  )
    return value;
  if (Array.isArray(value)) return value.map(jsonValueOf);
  if (value instanceof Map)
    return new Map([...(value as Map<string, unknown>)].map(([k, v]) => [k, jsonValueOf(v)]));
  if (typeof value === 'object') return new Map(Object.entries(value).map(([k, v]) => [k, jsonValueOf(v)]));
  throw new TypeError(`a ${typeof value} has no form in JSON`);
}
