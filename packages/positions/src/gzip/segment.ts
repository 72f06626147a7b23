import { createHash } from 'node:crypto';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { combineCrc32, crc32 } from './crc32.ts';

/**
 * A piece of a gzip body that was compressed on its own: raw deflate blocks that end on a byte boundary with a full
 * flush and hold no final block, so that pieces can be joined in any order without compressing again.
 */
export interface Segment {
  /** Raw deflate data. Never written to after it was made: it is shared between bodies, tiers and processes. */
  readonly bytes: Uint8Array;
  /** CRC-32 of the uncompressed text. */
  readonly crc: number;
  /** Length of the uncompressed text in bytes. */
  readonly sizeBytes: number;
  /** SHA-256 of `bytes`, base64url, cut to 16 characters: what ETags are made of. */
  readonly digest: string;
}

/** The end of a gzip member whose blocks so far hold no final one: an empty final block with fixed codes. */
const FINAL_BLOCK_SIZE_BYTES = 2;
const HEADER_SIZE_BYTES = 10;
const TRAILER_SIZE_BYTES = 8;
const STORED_BLOCK_MAX_BYTES = 0xffff;

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
}

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
}

/**
 * Compresses a text to a segment. Blocks the thread: for texts above some KB call it in a pool thread.
 *
 * @param level zlib level, 1 (fast) to 9 (small).
 */
export function deflateSegment(content: string | Uint8Array, level = 6): Segment {
  const text = toBytes(content);
  // Copied to its exact size: zlib hands out a view of a larger buffer, and a thread message would carry all of it.
  const bytes = new Uint8Array(deflateRawSync(text, { level, finishFlush: constants.Z_FULL_FLUSH }));
  return { bytes, crc: crc32(text), sizeBytes: text.byteLength, digest: digestOf(bytes) };
}

/** A short text (at most 65,535 bytes) as a segment without compression, for the glue between segments. */
export function storedSegment(content: string | Uint8Array): Segment {
  const text = toBytes(content);
  const size = text.byteLength;
  if (size > STORED_BLOCK_MAX_BYTES) {
    throw new RangeError(`a stored block holds at most ${STORED_BLOCK_MAX_BYTES} bytes, not ${size}`);
  }
  const bytes = new Uint8Array(5 + size);
  bytes[1] = size & 0xff;
  bytes[2] = size >>> 8;
  bytes[3] = ~size & 0xff;
  bytes[4] = (~size >>> 8) & 0xff;
  bytes.set(text, 5);
  return { bytes, crc: crc32(text), sizeBytes: size, digest: digestOf(bytes) };
}

/**
 * The text of a segment.
 *
 * @throws Error with `cause` when its bytes are damaged or do not match its length or CRC-32.
 */
export function inflateSegment(segment: Segment): Buffer {
  let text: Buffer;
  try {
    text = inflateRawSync(segment.bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw new Error('damaged segment: not deflate data', { cause });
  }
  if (text.byteLength !== segment.sizeBytes || crc32(text) !== segment.crc) {
    throw new Error('damaged segment: length or CRC-32 differ');
  }
  return text;
}

/** What a gzip member of these segments, in this order, will look like, without building it. */
export interface MemberLayout {
  /** Length of the gzip member in bytes. */
  readonly gzipSizeBytes: number;
  /** Length of the uncompressed text in bytes. */
  readonly sizeBytes: number;
}

/** Sizes of the gzip member that {@link gzipMember} makes of the same segments. */
export function memberLayout(segments: readonly Segment[]): MemberLayout {
  let gzipSizeBytes = HEADER_SIZE_BYTES + FINAL_BLOCK_SIZE_BYTES + TRAILER_SIZE_BYTES;
  let sizeBytes = 0;
  for (const segment of segments) {
    gzipSizeBytes += segment.bytes.byteLength;
    sizeBytes += segment.sizeBytes;
  }
  return { gzipSizeBytes, sizeBytes };
}

/**
 * One gzip member of segments, in pieces to be sent one after the other: header, the segments' own bytes, an empty final
 * block, combined CRC-32 and length. Nothing is compressed or copied. One member, because several in a row are cut short
 * by some HTTP clients.
 */
export function* memberPieces(segments: readonly Segment[]): Generator<Uint8Array> {
  // Magic, deflate, no flags, no time, no extra flags, unknown system: the same input gives the same bytes.
  yield Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
  let crc = 0;
  let sizeBytes = 0;
  for (const segment of segments) {
    yield segment.bytes;
    crc = combineCrc32(crc, segment.crc, segment.sizeBytes);
    sizeBytes += segment.sizeBytes;
  }
  const end = Buffer.alloc(FINAL_BLOCK_SIZE_BYTES + TRAILER_SIZE_BYTES);
  end[0] = 0x03;
  end.writeUInt32LE(crc, FINAL_BLOCK_SIZE_BYTES);
  end.writeUInt32LE(sizeBytes % 2 ** 32, FINAL_BLOCK_SIZE_BYTES + 4);
  yield end;
}

/** {@link memberPieces} as one buffer. */
export function gzipMember(segments: readonly Segment[]): Buffer {
  return Buffer.concat([...memberPieces(segments)], memberLayout(segments).gzipSizeBytes);
}

/** One digest for segments in an order: equal exactly when the joined bytes are equal (as far as SHA-256 can show). */
export function combineDigests(segments: readonly Segment[]): string {
  const hash = createHash('sha256');
  for (const segment of segments) hash.update(segment.digest);
  return hash.digest('base64url').slice(0, 22);
}
