import fc from 'fast-check';
import t from 'tap';
import { deflateSegment, gzipMember } from '../../positions/dist/index.js';
import { keptSnapshot } from '../dist/snapshots/snapshot.js';
import { sliced, slicesOf } from '../dist/slices.js';

const SLICE_BYTES = 64 * 1024;

function randomBytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 17) % 251);
}

await t.test('slices are the same bytes, none larger than a slice, and few', (t) => {
  const lengths = fc.array(fc.oneof(fc.nat(300), fc.nat(3 * SLICE_BYTES), fc.constant(SLICE_BYTES)), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(lengths, (all) => {
      const pieces = all.map(randomBytes);
      const slices = [...slicesOf(pieces)];
      t.ok(Buffer.concat(slices).equals(Buffer.concat(pieces)));
      t.ok(slices.every(({ length }) => length <= SLICE_BYTES));
      const again = [...slicesOf(slices)];
      t.ok(again.length <= slices.length, 'slices stay slices');
      t.ok(Buffer.concat(again).equals(Buffer.concat(pieces)));
    }),
    { numRuns: 50 },
  );
  const one = [randomBytes(SLICE_BYTES, 1)];
  t.equal([...slicesOf(one)][0], one[0], 'one alone is not copied');
  t.end();
});

await t.test(
  'what is put together for one reader is there for the others, who stand elsewhere',
  async (t) => {
    const segments = Array.from({ length: 200 }, (_, seed) => deflateSegment(randomBytes(20_000, seed), 0));
    const snapshot = keptSnapshot(segments, 0);
    const whole = gzipMember(segments);
    const [ahead, behind] = [snapshot.pieces(), snapshot.pieces()].map((pieces) => pieces[Symbol.iterator]());
    const read: Uint8Array[][] = [[], []];
    for (let turn = 0; turn < 1000; turn++) {
      // One reads twice as fast.
      const [reader, into] = turn % 3 === 0 ? [behind, read[1]] : [ahead, read[0]];
      const next = reader?.next();
      if (next?.done === false) into?.push(next.value);
    }
    for (const pieces of read) t.ok(Buffer.concat(pieces).equals(whole));
    t.ok(
      (read[0] ?? []).every((slice, index) => slice === read[1]?.[index]),
      'the same slices',
    );
    t.ok((read[0] ?? []).length < 100, 'small segments are put together');
    const chunks: Buffer[] = [];
    for await (const chunk of sliced(snapshot.pieces())) chunks.push(chunk as Buffer);
    t.ok(Buffer.concat(chunks).equals(whole));
  },
);
