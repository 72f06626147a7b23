import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import {
  combineCrc32,
  crc32,
  deflateSegment,
  gzipMember,
  inflateSegment,
  memberLayout,
  storedSegment,
} from '../dist/index.js';
import fc from 'fast-check';
import t from 'tap';

await t.test('combined CRC-32 is the CRC-32 of the joined text', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
      return combineCrc32(crc32(a), crc32(b), b.byteLength) === crc32(Buffer.concat([a, b]));
    }),
  );
  t.equal(
    combineCrc32(crc32(Buffer.from('x')), crc32(Buffer.alloc(5_000_000, 'y')), 5_000_000),
    crc32(Buffer.concat([Buffer.from('x'), Buffer.alloc(5_000_000, 'y')])),
  );
  t.end();
});

await t.test('segments join to one gzip member in any number and order', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ maxLength: 2000, unit: 'grapheme' }), fc.boolean())),
      (parts) => {
        const segments = parts.map(([text, stored]) => (stored ? storedSegment(text) : deflateSegment(text)));
        const member = gzipMember(segments);
        const text = parts.map(([part]) => part).join('');
        const layout = memberLayout(segments);
        return (
          gunzipSync(member).toString() === text &&
          layout.gzipSizeBytes === member.byteLength &&
          layout.sizeBytes === Buffer.byteLength(text)
        );
      },
    ),
  );
  t.end();
});

await t.test('gzip -t accepts a member', (t) => {
  const member = gzipMember([storedSegment('{'), deflateSegment('"a": 1'.repeat(1000)), storedSegment('}')]);
  execFileSync('gzip', ['-t'], { input: member });
  t.pass('gzip -t');
  t.end();
});

await t.test('a segment inflates to its text and damage is found', (t) => {
  const segment = deflateSegment('some text, some more text');
  t.equal(inflateSegment(segment).toString(), 'some text, some more text');
  t.throws(() => inflateSegment({ ...segment, crc: segment.crc ^ 1 }), /damaged segment/);
  t.throws(() => inflateSegment({ ...segment, bytes: segment.bytes.subarray(3) }), /damaged segment/);
  t.end();
});

await t.test('a stored segment has a limit', (t) => {
  t.equal(inflateSegment(storedSegment('a'.repeat(65_535))).byteLength, 65_535);
  t.throws(() => storedSegment('a'.repeat(65_536)), RangeError);
  t.end();
});
