import { createHash } from 'node:crypto';
import { pythonStr } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';

const sha3 = (text: string): string => createHash('sha3-256').update(text).digest('hex');

/** The hash of a request's body: of the hash of Python's text of each hashed field. */
export function bodyHash(fields: readonly JsonValue[]): string {
  return sha3(fields.map((field) => sha3(pythonStr(field))).join(''));
}
