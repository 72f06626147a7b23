import { Readable } from 'node:stream';

/** What waits for the network of one large answer. */
const SLICE_BYTES = 64 * 1024;

/** Pieces as a stream, so that what waits for the network is one slice: small ones together, large ones cut. */
export function sliced(pieces: Iterable<Uint8Array>): Readable {
  const slices = slicesOf(pieces);
  return new Readable({
    highWaterMark: SLICE_BYTES,
    read() {
      const { done, value } = slices.next();
      this.push(done === true ? null : value);
    },
  });
}

/** The same bytes in pieces of up to a slice. */
export function* slicesOf(pieces: Iterable<Uint8Array>): Generator<Uint8Array, undefined> {
  let small: Uint8Array[] = [];
  let smallBytes = 0;
  for (const piece of pieces) {
    if (smallBytes + piece.length > SLICE_BYTES && smallBytes > 0) {
      yield together(small, smallBytes);
      small = [];
      smallBytes = 0;
    }
    if (piece.length <= SLICE_BYTES) {
      small.push(piece);
      smallBytes += piece.length;
    } else {
      for (let at = 0; at < piece.length; at += SLICE_BYTES) yield piece.subarray(at, at + SLICE_BYTES);
    }
  }
  if (smallBytes > 0) yield together(small, smallBytes);
}

function together(pieces: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const [only] = pieces;
  return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces, sizeBytes);
}
