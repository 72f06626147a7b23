import fc from 'fast-check';
import t from 'tap';
import type { AnyTransaction, DocumentValue } from '../dist/ipc/messages.js';
import { ChunkAssembler, inParts, sendInParts } from '../dist/ipc/parts.js';

function documentOf(sizeBytes: number): DocumentValue {
  return { kind: 'document', gzip: new Uint8Array(sizeBytes).fill(7), sizeBytes, digest: 'd', modifiedMs: 2 };
}

const transactions: fc.Arbitrary<AnyTransaction[]> = fc.array(
  fc
    .record({
      topic: fc.constantFrom('documents' as const),
      reset: fc.boolean(),
      sizes: fc.array(fc.tuple(fc.string(), fc.nat(300)), { maxLength: 12 }),
      remove: fc.array(fc.string(), { maxLength: 3 }),
    })
    .map(({ topic, reset, sizes, remove }) => ({
      topic,
      reset,
      put: sizes.map(([key, size]) => [key, documentOf(size)] as const),
      remove,
    })),
  { maxLength: 4 },
);

void t.test('what was cut into parts is put together again as it was', (t) => {
  fc.assert(
    fc.property(transactions, fc.integer({ min: 1, max: 1000 }), (sent, limitBytes) => {
      const assembly = new ChunkAssembler();
      const parts = inParts(sent, limitBytes);
      const received = parts.map((part) => assembly.add(structuredClone(part)));
      t.same(received.pop(), sent);
      t.ok(received.every((result) => result === undefined));
    }),
  );
  t.end();
});

void t.test('a part holds about what it may, and a single value whatever its size', (t) => {
  const put = [100, 100, 900, 50, 50].map((size, index) => [String(index), documentOf(size)] as const);
  const parts = inParts([{ topic: 'documents', reset: true, put, remove: ['x'] }], 250);
  t.same(
    parts.map(({ transactions }) => transactions.map((part) => part.put.map(([key]) => key))),
    [[['0', '1']], [['2']], [['3', '4']]],
  );
  t.same(
    parts.map(({ transactions }) => transactions.map(({ reset, remove }) => [reset, remove])),
    [[[true, ['x']]], [[false, []]], [[false, []]]],
  );
  t.end();
});

void t.test('a part is sent when the one before it has left', async (t) => {
  const put = ['a', 'b'].map((key) => [key, documentOf(1024 * 1024)] as const);
  const leave: (() => void)[] = [];
  const done = sendInParts(
    [{ topic: 'documents', reset: false, put, remove: [] }],
    () => new Promise((resolve) => leave.push(resolve)),
  );
  t.equal(leave.length, 1);
  leave[0]?.();
  await Promise.resolve();
  t.equal(leave.length, 2);
  leave[1]?.();
  await done;
});
