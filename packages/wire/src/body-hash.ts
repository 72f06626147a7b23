import { createHash } from 'node:crypto';
import type { JsonValue } from './json/json-value.ts';
import { pythonStr } from './python-str.ts';

const sha3 = (text: string): string => createHash('sha3-256').update(text).digest('hex');

/** The hash of a request's body: of the hash of Python's text of each hashed field. */
export function bodyHash(fields: readonly JsonValue[]): string {
  return sha3(fields.map((field) => sha3(pythonStr(field))).join(''));
}
