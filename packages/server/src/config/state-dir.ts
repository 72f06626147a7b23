import { accessSync, constants, mkdirSync } from 'node:fs';
import { StartError } from './start-error.ts';

/**
 * Makes the folder for what the server itself keeps, for its owner only, unless it is there.
 *
 * @throws StartError `PTN_ERR_START_STATE_DIR` when it cannot be made or written to.
 */
export function prepareStateDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new StartError('PTN_ERR_START_STATE_DIR', { path, detail }, { cause: error });
  }
}
