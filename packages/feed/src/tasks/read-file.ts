import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { codeOf, isAbsence, isFresh, versionOf } from '@ptn-api/watch/file-stamp';

/** What Node can hold as one text, with room for what is changed in it. */
export const MAX_TEXT_BYTES = 500 * 2 ** 20;

/** What was found where there is nothing new in a file. */
export type NothingRead =
  | { readonly kind: 'same' }
  | { readonly kind: 'gone' }
  /** `stamp` is empty where not even the file's state could be read. */
  | { readonly kind: 'bad'; readonly stamp: string; readonly reason: string };

/** What was found at a path. Nothing about a file throws: it is in the answer. */
export type StampedFile =
  | NothingRead
  | {
      readonly kind: 'read';
      readonly stamp: string;
      readonly bytes: Buffer;
      readonly modifiedMs: number;
      /** Whether it may have been written again since without another stamp. */
      readonly isFresh: boolean;
    };

function reasonOf(error: unknown): string {
  return codeOf(error) ?? (error as Error).message;
}

/**
 * Reads a regular file, unless its stamp is the known one. A pipe in place of the file is not waited for, which would
 * stop the thread forever; one that is larger than `maxBytes` is bad.
 */
export function readStamped(path: string, known?: string, maxBytes = MAX_TEXT_BYTES): StampedFile {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isAbsence(error)) return { kind: 'gone' };
    return { kind: 'bad', stamp: '', reason: `cannot be opened (${reasonOf(error)})` };
  }
  let stamp = '';
  const nowMs = Date.now();
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return { kind: 'bad', stamp: '', reason: 'is not a regular file' };
    stamp = versionOf(stats);
    if (stamp === known) return { kind: 'same' };
    if (stats.size > maxBytes)
      return { kind: 'bad', stamp, reason: `is larger than ${maxBytes / 2 ** 20} MiB` };
    const bytes = readFileSync(fd);
    return {
      kind: 'read',
      stamp,
      bytes,
      modifiedMs: Number(stats.mtimeMs),
      isFresh: isFresh(stats.ctimeNs, nowMs),
    };
  } catch (error) {
    return { kind: 'bad', stamp, reason: `cannot be read (${reasonOf(error)})` };
  } finally {
    closeSync(fd);
  }
}
