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
 * Whether a change after this look could leave `mtimeNs` as it is.
 *
 * @param nowMs Unix ms, taken before the look. A modification time far in the future is not fresh: a change now would
 * set it back to now.
 */
export function isFresh(mtimeNs: bigint, nowMs: number): boolean {
  const tickMs = mtimeNs % 1_000_000_000n === 0n ? COARSE_TICK_MS : TICK_MS;
  return Math.abs(nowMs - Number(mtimeNs / 1_000_000n)) <= tickMs;
}

/**
 * What tells two versions of a file apart: inode, modification time, size. A string, since a hundred thousand are kept.
 * {@link UNSETTLED} while the file could still be rewritten without a trace.
 */
export function stampOf(stats: BigIntStats, nowMs: number): string {
  return isFresh(stats.mtimeNs, nowMs) ? UNSETTLED : `${stats.ino}:${stats.mtimeNs}:${stats.size}`;
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
