import { readFileSync } from 'node:fs';

const OWN_LIMITS_FILE = '/proc/self/limits';
const OPEN_FILES_LINE = /^Max open files\s+(\d+|unlimited)/m;
/** What a process opens beside its connections: a worker has some 50 files open, and reads large documents from the disk. */
const OTHER_FILES = 200;

/** How many files this process may have open; `undefined` where the system does not say. */
export function maxOpenFiles(limitsFile = OWN_LIMITS_FILE): number | undefined {
  let text: string;
  try {
    text = readFileSync(limitsFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const limit = OPEN_FILES_LINE.exec(text)?.[1];
  return limit === 'unlimited' ? Infinity : limit === undefined ? undefined : Number(limit);
}

/**
 * How many connections this process may hold. With one more, what it has to open for its own work could fail, which ends
 * a worker: even to ask for its memory opens a file.
 */
export function maxConnections(openFiles = maxOpenFiles() ?? Infinity): number {
  return openFiles - Math.min(OTHER_FILES, Math.floor(openFiles / 2));
}
