import { writeSync } from 'node:fs';
import type { EventEmitter } from 'node:events';

/** While lines cannot be written, so much of them waits; what comes then is lost. */
export const WAITING_LINES_BYTES = 2 ** 20;

/** A pipe that was full is tried again after this time, should no further line do it. */
const FULL_PIPE_RETRY_MS = 50;

interface LineStream extends EventEmitter {
  write(text: string): unknown;
}

/**
 * Lets a process outlive a log that cannot be written, as on a full disk: without a listener the error would end it. The
 * stream tries again at every further line. The first error is reported on stderr.
 */
export function tolerateWriteErrors(stream: LineStream, what: string): void {
  let isInTrouble = false;
  let retry: NodeJS.Timeout | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EAGAIN') {
      retry ??= setTimeout(() => {
        retry = undefined;
        // It writes what waits, too. Its flush() does nothing for a stream that gathers no lines.
        stream.write('');
      }, FULL_PIPE_RETRY_MS).unref();
      return;
    }
    // Whoever read along has ended, on purpose as a rule; pino writes no more then.
    if (isInTrouble || error.code === 'EPIPE') return;
    isInTrouble = true;
    try {
      writeSync(2, `ptn-api: ${what} cannot be written: ${error.message}\n`);
    } catch {
      // It leads to the same full disk: there is nowhere left to report it.
    }
  });
}
