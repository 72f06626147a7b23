import type { BigIntStats } from 'node:fs';

/** The stamp of a file whose next look must count as a change, whatever it finds. */
export const UNSETTLED = '';

/**
 * The kernel stamps changes with the time of its last tick, at most 10 ms ago (100 Hz). Two changes in one tick look
 * alike, so what was changed so recently may change again without a trace; five ticks leave room for a late one.
 */
const TICK_MS = 50;
/** Some file systems (ext3, small inodes of ext4) keep whole seconds only: for them a tick is that long. */
const COARSE_TICK_MS = 1000 + TICK_MS;

/**
 * Whether a change after this look could leave the time of the last change as it is.
 *
 * @param nowMs Unix ms, taken before the look. A time far in the future is not fresh: a change now would set it back.
 */
export function isFresh(ctimeNs: bigint, nowMs: number): boolean {
  const tickMs = ctimeNs % 1_000_000_000n === 0n ? COARSE_TICK_MS : TICK_MS;
  return Math.abs(nowMs - Number(ctimeNs / 1_000_000n)) <= tickMs;
}

/**
 * What distinguishes two versions of a file. The time is that of the inode's last change, which nobody can set: a writer
 * may give a file its old modification time back (cp -p, rsync --inplace, a restored backup).
 */
export function versionOf({ ino, ctimeNs, size }: BigIntStats): string {
  return `${ino}:${ctimeNs}:${size}`;
}

/**
 * The version of a file, as a string, since a hundred thousand are kept. {@link UNSETTLED} while the file could still be
 * rewritten without a trace.
 */
export function stampOf(stats: BigIntStats, nowMs: number): string {
  return isFresh(stats.ctimeNs, nowMs) ? UNSETTLED : versionOf(stats);
}

/** Whether an error of the file system says that there is nothing (any more) at this path. */
export function isAbsence(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** The system's code of an error (`EACCES`…), or undefined if it is no error of the system. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
