import { gunzipSync } from 'node:zlib';
import { statSync } from 'node:fs';
import { replaceNonFinite } from '@ptn-api/positions';
import { MAX_TEXT_BYTES, readStamped } from './read-file.ts';
import type { NothingRead } from './read-file.ts';

/** The text of a file. */
export interface ReadText {
  readonly kind: 'read';
  readonly stamp: string;
  readonly text: string;
  readonly modifiedMs: number;
}

/** Of which a gzip member begins. */
const GZIP_MAGIC = [0x1f, 0x8b];

/** The path that was written last of those where something is; the first where nothing is anywhere. */
export function newestOf([first, ...others]: readonly [string, ...string[]]): string {
  // What cannot be looked at is as if it were not there: reading says why, where it is read.
  const modifiedMs = (path: string): number => {
    try {
      return statSync(path).mtimeMs;
    } catch {
      return -1;
    }
  };
  let newest = { path: first, at: modifiedMs(first) };
  for (const path of others) {
    const at = modifiedMs(path);
    if (at > newest.at) newest = { path, at };
  }
  return newest.path;
}

/**
 * Reads a file of text, which may be gzip: its first bytes say so, not its name. A gzip file that ends too early, as one
 * that is being written, is bad.
 *
 * @param maxBytes Of the text.
 */
export function readText(path: string, stamp?: string, maxBytes = MAX_TEXT_BYTES): NothingRead | ReadText {
  const file = readStamped(path, stamp, maxBytes);
  if (file.kind !== 'read') return file;
  const { bytes, modifiedMs } = file;
  if (!GZIP_MAGIC.every((byte, index) => bytes[index] === byte))
    return { kind: 'read', stamp: file.stamp, text: bytes.toString('utf8'), modifiedMs };
  try {
    const text = gunzipSync(bytes, { maxOutputLength: maxBytes }).toString('utf8');
    return { kind: 'read', stamp: file.stamp, text, modifiedMs };
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const reason = isTooLarge
      ? `holds more than ${maxBytes / 2 ** 20} MiB of text`
      : `is not a complete gzip file: ${(error as Error).message}`;
    return { kind: 'bad', stamp: file.stamp, reason };
  }
}

/** The same with NaN and Infinity, which Python writes, as null. */
export function finiteText({ text }: ReadText): { text: string; count: number } {
  return replaceNonFinite(text.trim());
}
