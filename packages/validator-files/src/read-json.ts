import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { replaceNonFinite } from '@ptn-api/positions';

/** What a file of the validator holds. `reason` goes on "the file ...". */
export type JsonReading =
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'missing' }
  | { readonly kind: 'damaged'; readonly reason: string };

const GZIP_MAGIC = [0x1f, 0x8b];

function textOf(bytes: Buffer): string {
  const isGzip = GZIP_MAGIC.every((byte, index) => bytes[index] === byte);
  return (isGzip ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** Python writes NaN and Infinity, which are not JSON; they are read as `null`. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Nearly every text is JSON as it stands: the search is left to those that are not.
    const { text: replaced, count } = replaceNonFinite(text);
    if (count === 0) throw error;
    return JSON.parse(replaced);
  }
}

/** Reads a JSON file, plain or gzip. */
export function readJsonFile(path: string): JsonReading {
  let text: string;
  try {
    text = textOf(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'missing' };
    return { kind: 'damaged', reason: `cannot be read: ${(error as Error).message}` };
  }
  try {
    return { kind: 'read', value: parse(text) };
  } catch (error) {
    return { kind: 'damaged', reason: `is not JSON: ${(error as Error).message}` };
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
