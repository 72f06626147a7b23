import type { Readable } from 'node:stream';

/**
 * All of a stream, if it has at most so many bytes; else it is destroyed.
 *
 * @throws what the stream ended with.
 */
export async function readBounded(stream: Readable, maxBytes: number): Promise<Buffer | 'too large'> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    // Leaving the loop destroys the stream.
    if (sizeBytes > maxBytes) return 'too large';
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
