import { open, readFile, rename } from 'node:fs/promises';
import { isCursor } from '../stream-cursor.ts';
import type { Cursor, CursorStore } from '../stream-cursor.ts';

/**
 * Keeps the cursor in a file, over crashes and power cuts: it is written aside, brought to disk and renamed into place,
 * so that the file holds one whole cursor at any time. One client per file.
 */
export class FileCursorStore implements CursorStore {
  readonly #path: string;

  constructor(path: string) {
    if (typeof path !== 'string' || path === '') throw new TypeError('path must name the cursor file');
    this.#path = path;
  }

  /** @throws Error where the file cannot be read or holds no cursor: starting anew would pass over orders in silence. */
  async load(): Promise<Cursor | null> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
      throw new Error(`cannot read the cursor file ${this.#path}`, { cause });
    }
    const broken = `the cursor file ${this.#path} is broken: correct it to {"sequence": <number>, "epoch": <text or null>} or delete it to begin anew`;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new Error(broken, { cause });
    }
    if (!isCursor(value)) throw new Error(broken);
    return { sequence: value.sequence, epoch: value.epoch };
  }

  /** @throws Error where the file cannot be written. */
  async save({ sequence, epoch }: Cursor): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    try {
      const file = await open(temporary, 'w');
      try {
        await file.writeFile(`${JSON.stringify({ sequence, epoch })}\n`);
        // Else a power cut may leave an empty file under the final name.
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
    } catch (cause) {
      throw new Error(`cannot write the cursor file ${this.#path}`, { cause });
    }
  }
}
