import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import openRolling from 'pino-roll';
import type { DestinationStream } from 'pino';
import type { LogFileConfig } from './config.ts';
import { outliveWriteErrors, WAITING_LINES_BYTES } from './log-trouble.ts';
import { StartError } from './start-error.ts';

/** Of the operator and the group: who uses the server, and from where, is in it. */
const LOG_FILE_MODE = 0o640;

/**
 * The log file of the server, which one process writes for all: two could not agree on when the next file begins. It
 * is written synchronously, so that the last words before an exit are not lost. While it cannot be written (a full
 * disk), serving goes on, and lines beyond the first MB are lost; the first trouble is told on stderr.
 *
 * @throws StartError `PTN_ERR_START_LOG_FILE`.
 */
export async function openLogFile({ path, sizeBytes, count }: LogFileConfig): Promise<DestinationStream> {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Whether files can be made there is found out now: later only an event would tell.
    const probe = `${path}.${process.pid}`;
    closeSync(openSync(probe, 'w', LOG_FILE_MODE));
    rmSync(probe);
    const file = await openRolling({
      file: path,
      size: `${sizeBytes}b`,
      // Those of earlier runs count, too.
      limit: { count, removeOtherLogFiles: true },
      sync: true,
      maxLength: WAITING_LINES_BYTES,
      mode: LOG_FILE_MODE,
    });
    outliveWriteErrors(file, 'the log file');
    return file;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new StartError('PTN_ERR_START_LOG_FILE', { path, detail }, { cause: error });
  }
}
