import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How many numbers are set aside at once: so few writes that they cost nothing, and a small jump when the log is lost. */
const BLOCK = 10_000;

/** Beside the log's folder, to outlive it: numbers up to `last` may have been used, and must not be used by another log. */
export interface HighWater {
  readonly epoch: string;
  readonly last: number;
}

/** @param path the folder of the log. */
function fileBeside(path: string): string {
  return `${path}.high-water.json`;
}

/** Where release 0.1 kept it: it went with the folder. */
function fileIn(path: string): string {
  return join(path, 'high-water.json');
}

/** The higher of the marks; `undefined` when there is none; `damaged` when none can be understood. */
export function readHighWater(path: string): HighWater | 'damaged' | undefined {
  const [beside, inside] = [readMark(fileBeside(path)), readMark(fileIn(path))];
  if (typeof beside === 'object' && typeof inside === 'object')
    return inside.last > beside.last ? inside : beside;
  return typeof inside === 'object' ? inside : (beside ?? inside);
}

function readMark(file: string): HighWater | 'damaged' | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
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
  const made = `${fileBeside(path)}.new`;
  const file = openSync(made, 'w', 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(mark)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(made, fileBeside(path));
  syncFolder(dirname(path));
  rmSync(fileIn(path), { force: true });
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
