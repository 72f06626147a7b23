import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { filterDashboard, JsonSyntaxError, NotADashboardError } from '@ptn-api/positions';
import { printable } from '@ptn-api/protocol';
import type { FilteredDashboard } from '@ptn-api/positions';
import type { Tier } from '@ptn-api/protocol';

export interface FilterArgs {
  readonly tier: Tier;
  /** Unix ms for which the tier is shown. */
  readonly now: number;
  /** A dashboard map, plain or gzip; undefined for stdin. */
  readonly file: string | undefined;
}

export interface FilterIo {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** The output is handed over in pieces: a slow reader then holds back the next piece, not a copy of everything. */
const PIECE_SIZE_BYTES = 1 << 20;

/** An input that cannot be filtered; the message is the line for the operator, without the name of the input. */
class InputError extends Error {}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}

async function readInput(file: string | undefined, stdin: NodeJS.ReadableStream): Promise<Buffer> {
  try {
    return file === undefined ? await readAll(stdin) : await readFile(file);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') throw new InputError('does not exist', { cause: error });
    if (code === 'EISDIR') throw new InputError('is a directory, not a file', { cause: error });
    if (code === undefined) throw error;
    throw new InputError(`cannot be read (${code})`, { cause: error });
  }
}

async function toText(bytes: Buffer): Promise<string> {
  if (bytes.byteLength === 0) throw new InputError('is empty');
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return bytes.toString('utf8');
  try {
    return (await promisify(gunzip)(bytes)).toString('utf8');
  } catch (error) {
    throw new InputError(`is not a complete gzip file (${(error as Error).message})`, { cause: error });
  }
}

function filter(text: string, { tier, now }: FilterArgs): FilteredDashboard {
  try {
    return filterDashboard(text, tier, now);
  } catch (error) {
    if (error instanceof NotADashboardError) throw new InputError(error.message, { cause: error });
    if (error instanceof JsonSyntaxError)
      throw new InputError(`is not JSON: ${error.message}`, { cause: error });
    throw error;
  }
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_SIZE_BYTES) {
    yield bytes.subarray(at, at + PIECE_SIZE_BYTES);
  }
}

async function write(text: string, stdout: NodeJS.WritableStream): Promise<void> {
  try {
    await pipeline(Readable.from(piecesOf(Buffer.from(`${text}\n`))), stdout, { end: false });
  } catch (error) {
    // A reader that has seen enough, such as `head`, is no failure of ours.
    if (errorCode(error) !== 'EPIPE') throw error;
  }
}

/**
 * `ptn-api filter`: writes a dashboard map as a tier shows it at a time, and warnings as lines to stderr. The output is
 * the same as what the server answers from that map.
 *
 * @returns the exit code: 0, or 1 after one line on stderr that says what is wrong with the input.
 */
export async function runFilter(args: FilterArgs, io: FilterIo): Promise<number> {
  const name = printable(args.file ?? 'standard input');
  let filtered: FilteredDashboard;
  try {
    filtered = filter(await toText(await readInput(args.file, io.stdin)), args);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    io.stderr.write(`${name} ${printable(error.message)}\n`);
    return 1;
  }
  const { text, warnings, nonFinite } = filtered;
  for (const warning of warnings) io.stderr.write(`warning: ${printable(warning)}\n`);
  if (nonFinite > 0) io.stderr.write(`warning: ${nonFinite} NaN or Infinity in ${name} became null\n`);
  await write(text, io.stdout);
  return 0;
}
