import { writeSync } from 'node:fs';
import type { EventEmitter } from 'node:events';

/** While lines cannot be written, so much of them waits; what comes then is lost. */
export const WAITING_LINES_BYTES = 2 ** 20;

/**
 * Lets a process outlive a log that cannot be written, as on a full disk: without a listener the error would end it. The
 * stream tries again at every further line. The first trouble is told on stderr.
 */
export function outliveWriteErrors(stream: EventEmitter, what: string): void {
  let isInTrouble = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read along has gone, on purpose as a rule; pino writes no more then.
    if (isInTrouble || error.code === 'EPIPE') return;
    isInTrouble = true;
    try {
      writeSync(2, `ptn-api: ${what} cannot be written: ${error.message}\n`);
    } catch {
      // It leads to the same full disk: there is nobody left to tell.
    }
  });
}
