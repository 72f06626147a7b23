import { statSync } from 'node:fs';
import { join } from 'node:path';

/** Where the log of this folder lies. A door of its own: whoever asks for its size needs no engine. */
export function dataFile(path: string): string {
  return join(path, 'data.mdb');
}

/** @throws Error when that cannot be decided: a log that cannot be read is not one that is missing. */
export function hasDataFile(path: string): boolean {
  return statSync(dataFile(path), { throwIfNoEntry: false }) !== undefined;
}
