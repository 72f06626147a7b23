import { CompleteObject } from '@ptn-api/positions';
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream, mkdirSync, renameSync, rmSync } from 'node:fs';
import { constants, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { codeOf, isAbsence, versionOf } from '@ptn-api/watch/file-stamp';
import type { LoadedDocument } from './load-document.ts';

const CHUNK_BYTES = 256 * 1024;

export interface LoadCheckpointInput {
  readonly path: string;
  readonly isGzip: boolean;
  readonly stamp?: string | undefined;
  /** Where the copy goes that is served. */
  readonly folder: string;
}

/** A file that is no checkpoint: why, as a phrase that goes on "the file …". */
class BadCheckpoint extends Error {}

/**
 * Copies the checkpoint to where it is served from, compressed: it may be hundreds of megabytes, and passes through in
 * pieces. Its text passes as it is, NaN included (validators restore from it with Python). It must be complete: the
 * validator writes it in place.
 */
export async function loadCheckpoint(input: LoadCheckpointInput): Promise<LoadedDocument> {
  let file: FileHandle;
  try {
    // A pipe in place of the file is not waited for.
    file = await open(input.path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isAbsence(error)) return { kind: 'gone' };
    return { kind: 'bad', stamp: '', reason: `cannot be opened (${codeOf(error) ?? String(error)})` };
  }
  let stamp = '';
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile()) return { kind: 'bad', stamp, reason: 'is not a regular file' };
    stamp = versionOf(stats);
    if (stamp === input.stamp) return { kind: 'same' };
    const copied = await copy(file, input, Number(stats.size));
    if (versionOf(await file.stat({ bigint: true })) !== stamp)
      return { kind: 'bad', stamp, reason: 'was written while it was read' };
    const modifiedMs = Number(stats.mtimeMs);
    return { kind: 'read', stamp, value: { kind: 'document', ...copied, modifiedMs }, nonFinite: 0 };
  } catch (error) {
    if (error instanceof BadCheckpoint) return { kind: 'bad', stamp, reason: error.message };
    throw error;
  } finally {
    await file.close();
  }
}

/** The file from its beginning. No stream of its descriptor: a pipeline that fails closes that, and so does its owner. */
async function* piecesOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** @returns what is served, but for its time. */
async function copy(file: FileHandle, { isGzip, folder }: LoadCheckpointInput, fileBytes: number) {
  const inflate = () => createGunzip({ chunkSize: CHUNK_BYTES });

  const text = new CompleteObject();
  let sizeBytes = 0;
  try {
    await pipeline(
      Readable.from(piecesOf(file), { objectMode: false }),
      isGzip ? inflate() : new PassThrough(),
      async (pieces: AsyncIterable<Buffer>) => {
        for await (const piece of pieces) {
          sizeBytes += piece.length;
          text.add(piece);
        }
      },
    );
  } catch (error) {
    if (codeOf(error)?.startsWith('Z_') !== true) throw error;
    throw new BadCheckpoint(`is not a complete gzip file: ${(error as Error).message}`);
  }
  const problem = text.problem();
  if (problem !== undefined) throw new BadCheckpoint(problem);

  // As it is where it is one member of gzip: some HTTP clients cut a body of several short.
  const isOneMember = isGzip && (await lengthInTrailer(file, fileBytes)) === sizeBytes % 2 ** 32;
  const stages = isOneMember ? [] : [...(isGzip ? [inflate()] : []), createGzip({ level: 1 })];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const unfinished = join(folder, `${randomUUID()}.new`);
  const hash = createHash('sha256');
  let gzipBytes = 0;
  try {
    await pipeline([
      Readable.from(piecesOf(file), { objectMode: false }),
      ...stages,
      new Transform({
        transform(piece: Buffer, _encoding, done) {
          gzipBytes += piece.length;
          hash.update(piece);
          done(null, piece);
        },
      }),
      createWriteStream(unfinished, { mode: 0o600 }),
    ]);
    const digest = hash.digest('base64url').slice(0, 22);
    const path = join(folder, `checkpoint-${digest}.json.gz`);
    renameSync(unfinished, path);
    return { file: { path, sizeBytes: gzipBytes }, sizeBytes, digest };
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** The length of the text of the last member, modulo 2^32 (RFC 1952). */
async function lengthInTrailer(file: FileHandle, fileBytes: number): Promise<number> {
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, fileBytes - 4);
  return buffer.readUInt32LE();
}
