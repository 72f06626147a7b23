import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import pino from 'pino';
import type { DestinationStream } from 'pino';
import type { LogFileConfig } from '../config.ts';
import { tolerateWriteErrors, WAITING_LINES_BYTES } from './resilient-output.ts';
import { StartError } from '../start-error.ts';

/** Of the operator and the group: who uses the server, and from where, is in it. */
const LOG_FILE_MODE = 0o640;

export interface LogFile extends DestinationStream {
  /** Makes the file anew where it was moved or removed, as log rotation does. */
  reopen(): void;
}

/**
 * The log file of the server, which one process writes for all: two could not agree on when the next file begins. It
 * is written synchronously, so that the last words before an exit are not lost. While it cannot be written (a full
 * disk), serving goes on, and lines beyond the first MB are lost; the first error is reported on stderr.
 *
 * A full file gets a number, `server.1.log` the newest, and is followed by a new one of the name that was given.
 *
 * @throws StartError `PTN_ERR_START_LOG_FILE`.
 */
export function openLogFile(config: LogFileConfig): LogFile {
  const { path } = config;
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Whether it can be written is found out now: later only an event would say so.
    closeSync(openSync(path, 'a', LOG_FILE_MODE));
    return new RotatingLogFile(config);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new StartError('PTN_ERR_START_LOG_FILE', { path, detail }, { cause: error });
  }
}

class RotatingLogFile implements LogFile {
  readonly #config: LogFileConfig;
  readonly #stream: ReturnType<typeof pino.destination>;
  #sizeBytes: number;

  constructor(config: LogFileConfig) {
    this.#config = config;
    this.#sizeBytes = statSync(config.path).size;
    this.#stream = pino.destination({
      dest: config.path,
      append: true,
      sync: true,
      maxLength: WAITING_LINES_BYTES,
      mode: LOG_FILE_MODE,
    });
    tolerateWriteErrors(this.#stream, 'the log file');
  }

  write(lines: string): void {
    if (this.#sizeBytes >= this.#config.sizeBytes) this.#rotate();
    this.#sizeBytes += Buffer.byteLength(lines);
    this.#stream.write(lines);
  }

  reopen(): void {
    this.#stream.reopen();
    const { path } = this.#config;
    this.#sizeBytes = existsSync(path) ? statSync(path).size : 0;
  }

  #rotate(): void {
    const { path, count } = this.#config;
    try {
      // Those of earlier runs count, too.
      for (const number of this.#numbers().sort((a, b) => b - a)) {
        if (number >= count - 1) rmSync(this.#numbered(number));
        else renameSync(this.#numbered(number), this.#numbered(number + 1));
      }
      // Where it was moved away there is nothing to number.
      if (existsSync(path)) renameSync(path, this.#numbered(1));
      this.reopen();
    } catch (error) {
      // Tried again when as much again was written; until then the file is longer than it should be.
      this.#sizeBytes = 0;
      const detail = error instanceof Error ? error.message : String(error);
      writeSync(2, `ptn-api: the log file ${path} cannot be rotated: ${detail}\n`);
    }
  }

  #numbers(): number[] {
    const { path } = this.#config;
    const [prefix, suffix] = [`${basename(path, extname(path))}.`, extname(path)];
    return readdirSync(dirname(path)).flatMap((name) => {
      const middle =
        name.startsWith(prefix) && name.endsWith(suffix)
          ? name.slice(prefix.length, name.length - suffix.length)
          : '';
      return /^[1-9]\d{0,8}$/.test(middle) ? [Number(middle)] : [];
    });
  }

  #numbered(number: number): string {
    const { path } = this.#config;
    return join(dirname(path), `${basename(path, extname(path))}.${number}${extname(path)}`);
  }
}
