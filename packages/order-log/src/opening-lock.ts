import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ABORT } from 'lmdb';
import type { RootDatabase } from 'lmdb';
import { openEngine } from './engine.ts';
import { OrderLogLockFileError } from './errors.ts';

/**
 * Keeps openings of a log, by any process, apart from commits to it.
 *
 * The engine needs it: whoever opens an environment reads the number of its last commit and then tells all others that
 * this is the last one (mdb_env_open2 of lmdb 3.5.6). A commit between the two would be lost: the next one goes on from
 * the one before it.
 *
 * What is locked is the writer's mutex of a second environment, in which nothing is ever committed, so that its own
 * openings can do no such harm. The system lets go of it when a process ends.
 */
export class OpeningLock {
  /** `undefined` where this process only reads and nobody writes, who would have made it. */
  readonly #environment: RootDatabase | undefined;

  /** @param path the folder of the log */
  constructor(path: string, { readOnly }: { readonly readOnly: boolean }) {
    const file = join(path, FILE_NAME);
    if (!isSound(file)) {
      if (readOnly) return;
      rmSync(file, { force: true });
    }
    this.#environment = openEngine(file, { noSubdir: true, mapSize: 2 ** 20 });
  }

  /** Waits for the lock, and has it while `action` runs, which must not wait for anything. */
  hold<T>(action: () => T): T {
    if (!this.#environment) return action();
    let result: { readonly of: T } | undefined;
    this.#environment.transactionSync(() => {
      result = { of: action() };
      return ABORT;
    });
    return (result as { readonly of: T }).of;
  }

  async close(): Promise<void> {
    await this.#environment?.close();
  }
}

const FILE_NAME = 'opening-lock';
/** Where a page's number ends, which is all that its two pages differ in while nothing was committed. */
const NUMBER_END = 8;
const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET = 24;

/** The engine would end this process for a damaged file. */
function isSound(file: string): boolean {
  const bytes = readIfThere(file);
  const half = bytes.length / 2;
  const [first, second] = [bytes.subarray(NUMBER_END, half), bytes.subarray(half + NUMBER_END)];
  return half > MAGIC_OFFSET + 4 && bytes.readUInt32LE(MAGIC_OFFSET) === MAGIC && first.equals(second);
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return Buffer.alloc(0);
    throw code === 'EISDIR' ? new OrderLogLockFileError(file) : error;
  }
}
