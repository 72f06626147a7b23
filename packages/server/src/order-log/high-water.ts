import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How many numbers are set aside at once: so few writes that they cost nothing, and a small jump when the log is lost. */
const BLOCK = 10_000;

/** Beside the log, to outlive it: numbers up to `last` may have been used, and must not be used by another log. */
export interface HighWater {
  readonly epoch: string;
  readonly last: number;
}

function fileIn(path: string): string {
  return join(path, 'high-water.json');
}

/** `undefined` when there is none; `damaged` when it cannot be understood. */
export function readHighWater(path: string): HighWater | 'damaged' | undefined {
  let text: string;
  try {
    text = readFileSync(fileIn(path), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const read = JSON.parse(text) as Partial<HighWater> | null;
    if (typeof read?.epoch === 'string' && Number.isSafeInteger(read.last)) return read as HighWater;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return 'damaged';
}

/** Sets aside the numbers up to `last` and a block beyond; on disk when it returns. */
export function writeHighWater(path: string, epoch: string, last: number): HighWater {
  const mark: HighWater = { epoch, last: last + BLOCK };
  const made = `${fileIn(path)}.new`;
  const file = openSync(made, 'w', 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(mark)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(made, fileIn(path));
  syncFolder(path);
  return mark;
}

/** Makes what was made, renamed or removed in the folder survive a power cut. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
