import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

/** What a look at a file comes to when there is nothing new in it. */
export type NothingRead =
  | { readonly kind: 'same' }
  | { readonly kind: 'gone' }
  /** `stamp` is empty where not even the file's state could be read. */
  | { readonly kind: 'bad'; readonly stamp: string; readonly reason: string };

/** What was found at a path. Nothing about a file throws: it is told in the answer. */
export type StampedFile =
  | NothingRead
  | { readonly kind: 'read'; readonly stamp: string; readonly bytes: Buffer; readonly modifiedMs: number };

/** Equal as long as a file was neither replaced nor written to. */
function stampOf({ ino, mtimeNs, size }: BigIntStats): string {
  return `${ino}:${mtimeNs}:${size}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}

/**
 * Reads a regular file, unless its stamp is the known one. A pipe in place of the file is not waited for, which would
 * stop the thread for ever.
 */
export function readStamped(path: string, known?: string): StampedFile {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'gone' };
    return { kind: 'bad', stamp: '', reason: `cannot be opened (${code})` };
  }
  let stamp = '';
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return { kind: 'bad', stamp: '', reason: 'is not a regular file' };
    stamp = stampOf(stats);
    if (stamp === known) return { kind: 'same' };
    return { kind: 'read', stamp, bytes: readFileSync(fd), modifiedMs: Number(stats.mtimeMs) };
  } catch (error) {
    return { kind: 'bad', stamp, reason: `cannot be read (${codeOf(error)})` };
  } finally {
    closeSync(fd);
  }
}
