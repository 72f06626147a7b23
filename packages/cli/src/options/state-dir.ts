import { accessSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs';
import { StartError } from '@ptn-api/runtime';

/** Whoever owns it can put another order log in the place of this one. The machine's administrator can in any case. */
function refuseOwner(uid: number): void {
  const own = process.getuid?.() ?? uid;
  if (uid === own || uid === 0) return;
  throw new Error(
    `it belongs to another user (uid ${uid}; this process has ${own}): give it to this one with chown, or name another one`,
  );
}

/**
 * Makes the folder for what the server itself keeps, for its owner only, unless it is there; one of another user is not
 * used.
 *
 * @throws StartError `PTN_ERR_START_STATE_DIR` when it cannot be made or written to.
 */
export function prepareStateDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK | constants.X_OK);
    // Itself where it is a link, and then the folder.
    for (const { uid } of [lstatSync(path), statSync(path)]) refuseOwner(uid);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new StartError('PTN_ERR_START_STATE_DIR', { path, detail }, { cause: error });
  }
}
