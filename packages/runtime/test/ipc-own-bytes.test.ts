import t from 'tap';
import type { AnyTransaction, DocumentValue } from '../dist/ipc/messages.js';
import { ownBytes } from '../dist/ipc/own-bytes.js';

function documentOf(gzip: Uint8Array): DocumentValue {
  return { kind: 'document', gzip, sizeBytes: 1, digest: 'd', modifiedMs: 2 };
}

void t.test('bytes are copied out of the buffer they came in', (t) => {
  const message = Buffer.from('0123456789');
  const received: AnyTransaction[] = [
    { topic: 'documents', reset: true, put: [['file', documentOf(message.subarray(2, 5))]], remove: ['x'] },
  ];
  const owned = ownBytes(received);
  t.same(owned, [
    {
      topic: 'documents',
      reset: true,
      put: [['file', documentOf(new Uint8Array([50, 51, 52]))]],
      remove: ['x'],
    },
  ]);
  message.fill(0);
  const value = owned[0]?.put[0]?.[1];
  if (value?.kind !== 'document' || value.gzip === undefined) throw new Error('the value is lost');
  t.same([...value.gzip], [50, 51, 52], 'it does not follow the buffer');
  t.equal(value.gzip.buffer.byteLength, 3);
  t.end();
});

void t.test('what is shared stays shared', (t) => {
  const value = documentOf(new Uint8Array([1]));
  const [first, second] = ownBytes([
    { topic: 'documents', reset: true, put: [['file', value]], remove: [] },
    { topic: 'documents', reset: true, put: [['file', value]], remove: [] },
  ]);
  t.not(first?.put[0]?.[1], value);
  t.equal(first?.put[0]?.[1], second?.put[0]?.[1]);
  t.end();
});
