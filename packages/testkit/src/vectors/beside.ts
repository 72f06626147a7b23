import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The path of a file of this name in the same folder. */
export function beside(path: string, name: string): string {
  return join(dirname(path), name);
}

/** Whether the folder of a file holds all of these. */
export function hasBeside(path: string, ...names: readonly string[]): boolean {
  return names.every((name) => existsSync(beside(path, name)));
}
