import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseKeyFile } from '@ptn-api/access';
import type { KeysInForce } from '@ptn-api/supervisor';
import { StartError } from '@ptn-api/runtime';

const MODE = 0o600;
const FOLDER_MODE = 0o700;
const LOCK_WAIT_MS = 3000;
const LOCK_RETRY_MS = 25;
const NEW_FILE = '{}\n';

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** What to do about a file that cannot be replaced, by the system's code. */
const ADVICE: Readonly<Record<string, string>> = {
  EBUSY:
    'it is mounted as a single file, as into a container, and cannot be replaced: mount its folder instead, ' +
    'or change it outside',
  EXDEV: 'its folder and the file are on different file systems: mount the folder, not the file',
  EROFS: 'it is mounted read-only: change it where it comes from',
  EACCES: "run this as the owner of the file's folder",
  EPERM: "run this as the owner of the file's folder",
};

/**
 * Of the places where a server looks, the file to change: the one that counts in the server that runs, else the one that
 * a server would read; where there is none, the one to be made.
 */
export function chosenKeyFile(
  paths: readonly [string, ...string[]],
  inForce: KeysInForce | undefined,
): { path: string; exists: boolean } {
  const found = [inForce?.path, ...paths].find(
    (path) => path !== undefined && paths.includes(path) && existsSync(path),
  );
  if (found !== undefined) return { path: found, exists: true };
  const path = paths.find((place) => existsSync(dirname(place))) ?? paths.at(-1) ?? paths[0];
  return { path, exists: false };
}

/**
 * The text of a key file that a server could use.
 *
 * @throws StartError
 */
export async function readKeyFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new StartError('PTN_ERR_START_BAD_KEYS', { path, detail }, { cause: error });
  }
  const parsed = parseKeyFile(text);
  if (!parsed.ok) throw new StartError('PTN_ERR_START_BAD_KEYS', { path, detail: parsed.reason });
  return text;
}

/**
 * Changes the key file as a whole or not at all: no reader ever sees a part of it, and of two that change it at the same
 * time neither is lost. It keeps its owner and its place where it is a link, and is its owner's alone afterwards.
 *
 * @param change gets the text, without a byte order mark.
 * @param beforeCommit runs when the new file is written and not in place yet; if it fails, nothing is changed.
 * @returns the new text.
 * @throws StartError
 */
export async function editKeyFile(
  path: string,
  change: (text: string) => string,
  beforeCommit: () => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  try {
    const target = existsSync(path) ? await realpath(path) : path;
    await mkdir(dirname(target), { recursive: true, mode: FOLDER_MODE });
    const release = await lock(`${target}.lock`);
    try {
      const before = existsSync(target) ? await readKeyFile(target) : NEW_FILE;
      const mark = before.startsWith('\uFEFF') ? '\uFEFF' : '';
      const text = mark + change(before.slice(mark.length));
      await replace(target, text, beforeCommit);
      return text;
    } finally {
      await release();
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const advice = ADVICE[codeOf(error) ?? ''];
    const detail = advice === undefined ? message : `${message}; ${advice}`;
    throw new StartError('PTN_ERR_KEYS_WRITE', { path, detail }, { cause: error });
  }
}

/** One `ptn-api keys` at a time changes a file. */
async function lock(path: string): Promise<() => Promise<void>> {
  const deadlineMs = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      await (await open(path, 'wx', MODE)).close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      if (performance.now() > deadlineMs) {
        throw new Error(
          `another ptn-api keys is changing it; if none runs, one was cut off: remove ${path}`,
          { cause: error },
        );
      }
      await sleep(LOCK_RETRY_MS);
    }
  }
}

async function replace(target: string, text: string, beforeCommit: () => Promise<void>): Promise<void> {
  const temporary = `${target}.${randomUUID()}.new`;
  try {
    const file = await open(temporary, 'wx', MODE);
    try {
      await file.writeFile(text);
      // The umask can only have taken away; an old file's owner must still be able to read it.
      await file.chmod(MODE);
      await file.sync();
    } finally {
      await file.close();
    }
    const owner = existsSync(target) ? await stat(target) : undefined;
    // Written by root, it must stay readable for the server, which should not be root.
    if (owner !== undefined && owner.uid !== process.getuid?.()) {
      await chown(temporary, owner.uid, owner.gid);
    }
    await beforeCommit();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
