import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readText } from './read-text.ts';

/** The path of a file of this name in the same folder. */
export function beside(path: string, name: string): string {
  return join(dirname(path), name);
}

/** Whether the folder of a file holds all of these. */
export function hasBeside(path: string, ...names: readonly string[]): boolean {
  return names.every((name) => existsSync(beside(path, name)));
}

/** What a JSON file in the same folder holds, which may be compressed. @throws Error where there is none. */
export function readBeside(path: string, name: string): unknown {
  return JSON.parse(readText(beside(path, hasBeside(path, name) ? name : `${name}.gz`)));
}
