import { createRequire } from 'node:module';
import { printable } from '@ptn-api/protocol';
import pino from 'pino';
import type { DestinationStream, Logger, LoggerOptions as LoggerOptionsOfPino } from 'pino';
import type { PinoPretty } from 'pino-pretty';
import { keepLoggedError } from '../metrics/recent-errors.ts';
import type { LogLevel } from '../config.ts';
import { gatheredLines } from './gathered-lines.ts';
import { tolerateWriteErrors, WAITING_LINES_BYTES } from './resilient-output.ts';

export interface LoggerOptions {
  /** Who speaks: `supervisor`, `feed`, `rest-1`. */
  readonly name: string;
  readonly level: LogLevel;
  /** Takes the lines, as JSON, instead of stdout. */
  readonly destination?: DestinationStream | undefined;
  /** Coloured text for people; by default where the lines go to a terminal. */
  readonly isForTerminal?: boolean;
  /** Lines on stdout wait for the others of their turn of the event loop: for a process that writes very many. */
  readonly isGathered?: boolean;
}

const ERROR_LEVEL = pino.levels.values['error'] ?? 50;
const SECRET_FIELDS = ['key', 'api_key', 'apiKey', 'authorization', 'Authorization', 'body', 'rawPacket'];
/** Secrets are struck out as fields of the line itself and down to `{ req: { headers: { authorization } } }`. */
const REDACTED_PATHS = ['', '*.', '*.*.'].flatMap((parents) => SECRET_FIELDS.map((field) => parents + field));

/**
 * True where something in this process reads along what it writes to stdout: pm2 in its cluster mode replaces
 * `process.stdout.write` and shows only what passes there. The file descriptor leads to pm2's own log.
 */
export function isStdoutReplaced(): boolean {
  return Object.hasOwn(process.stdout, 'write');
}

/**
 * The log of one process: JSON lines on stdout, or coloured text where stdout is a terminal.
 *
 * Lines are written synchronously, so that the last words before an exit are not lost.
 */
export function createLogger({
  name,
  level,
  destination,
  isForTerminal,
  isGathered = false,
}: LoggerOptions): Logger {
  const options: LoggerOptionsOfPino = {
    name,
    level,
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
    hooks: {
      logMethod(args, method, levelNumber) {
        if (levelNumber >= ERROR_LEVEL) keepLoggedError(args);
        method.apply(this, args);
      },
    },
  };
  const isTerminal = destination === undefined && !isStdoutReplaced() && process.stdout.isTTY;
  if (isForTerminal ?? isTerminal)
    return pino({ ...options, hooks: { ...options.hooks, streamWrite: steerless } }, pretty(destination));
  if (destination !== undefined) return pino(options, destination);
  if (isStdoutReplaced()) return pino(options, process.stdout);
  const stdout = openStandardOutput();
  return pino(options, isGathered ? gatheredLines(stdout) : stdout);
}

/**
 * JSON lines on stdout that no reader can hold up. Where processes share a pipe, only one of them may write to it so: a
 * process that starts or ends makes the pipe wait for its reader, in all of them.
 */
export function openStandardOutput(): DestinationStream {
  const stdout = pino.destination({
    dest: 1,
    sync: true,
    maxLength: WAITING_LINES_BYTES,
    // A pipe that nobody reads is full soon. To wait for its reader would be to stop serving.
    retryEAGAIN: () => false,
  });
  tolerateWriteErrors(stdout, 'standard output');
  return stdout;
}

function pretty(destination: number | DestinationStream = 1): DestinationStream {
  return loadPretty()({
    sync: true,
    ignore: 'hostname',
    destination,
    messageFormat: (log, key) => printable(String(log[key])),
  });
}

/** Of a line in JSON, the escapes of control characters but line breaks: the terminal is to show them, and not obey. */
function steerless(line: string): string {
  return line
    .replace(/\\(\\|u00[01][0-9a-f]|[bfr])/g, (escape, what) => (what === '\\' ? escape : '?'))
    .replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

/** Loaded only where it is used: it takes a fifth of the time that a worker takes to start. */
function loadPretty(): typeof PinoPretty {
  return createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
}
