import { combineDigests, memberLayout, memberPieces } from '@ptn-api/positions';
import type { Segment } from '@ptn-api/positions';
import { readFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { DocumentValue } from '@ptn-api/runtime';
import { slicesOf } from '../slices.ts';

const FILE_CHUNK_BYTES = 64 * 1024;

/** One JSON text that is served: kept as gzip bytes, and never changing. */
export interface Snapshot {
  /** What ETags are made of: equal for equal gzip bytes, on every worker and over restarts. */
  readonly digest: string;
  /** Unix ms of the newest source change in it; absent where that is not shown. */
  readonly modifiedMs?: number | undefined;
  /** Length of the JSON text in bytes. */
  readonly sizeBytes: number;
  /** Length of the gzip member in bytes. */
  readonly gzipSizeBytes: number;
  /** The JSON text as one complete gzip member, in pieces. Their bytes are shared: never write to them. */
  readonly pieces: () => Iterable<Uint8Array>;
  /** The same of a large one that lies on disk; `pieces` then reads all of it. */
  readonly open?: () => Promise<Readable>;
}

/** The same without its time, which would disclose changes that it does not show. */
export function timeless(snapshot: Snapshot): Snapshot {
  return { ...snapshot, modifiedMs: undefined };
}

/** Segments, joined as they are sent. */
export function joinedSnapshot(
  segments: readonly Segment[],
  modifiedMs: number,
  digest = combineDigests(segments),
): Snapshot {
  return { digest, modifiedMs, ...memberLayout(segments), pieces: () => memberPieces(segments) };
}

/** The same for who is asked for again and again: small segments are put together once, by whoever comes to them first. */
export function keptSnapshot(segments: readonly Segment[], modifiedMs: number, digest?: string): Snapshot {
  const snapshot = joinedSnapshot(segments, modifiedMs, digest);
  let slices: Iterable<Uint8Array> | undefined;
  return { ...snapshot, pieces: () => (slices ??= kept(slicesOf(snapshot.pieces()))) };
}

/** What the source gives is kept, and asked for once. */
function kept<T>(source: Iterator<T>): Iterable<T> {
  const items: T[] = [];
  return {
    *[Symbol.iterator]() {
      for (let index = 0; ; index++) {
        if (index === items.length) {
          const next = source.next();
          if (next.done === true) return;
          items.push(next.value);
        }
        yield items[index] as T;
      }
    },
  };
}

/** A file that is kept as a whole, here or on disk. */
export function documentSnapshot({ digest, modifiedMs, sizeBytes, gzip, file }: DocumentValue): Snapshot {
  const common = { digest, modifiedMs, sizeBytes };
  if (file !== undefined) {
    const open = async () =>
      (await openFile(file.path)).createReadStream({ highWaterMark: FILE_CHUNK_BYTES });
    return { ...common, gzipSizeBytes: file.sizeBytes, pieces: () => [readFileSync(file.path)], open };
  }
  const { buffer, byteOffset, byteLength } = gzip ?? new Uint8Array();
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return { ...common, gzipSizeBytes: byteLength, pieces: () => [bytes] };
}
