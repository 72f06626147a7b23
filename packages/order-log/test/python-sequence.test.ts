import { makePtnRoot } from '@ptn-api/testkit';
import t from 'tap';
import { pythonSequence } from '../dist/python-sequence.js';

const OLD = 'ptn_api/sequence_number.json';
const NEW = 'vanta_api/sequence_number.json';

for (const [files, expected, bad] of [
  [{}, 0, []],
  [{ [OLD]: '41\n' }, 41, []],
  [{ [OLD]: '500', [NEW]: '42' }, 500, []],
  [{ [OLD]: '', [NEW]: '42' }, 42, [OLD]],
  [{ [OLD]: '-1' }, 0, [OLD]],
  [{ [OLD]: '1.5' }, 0, [OLD]],
  [{ [OLD]: '{"sequence": 5}' }, 0, [OLD]],
  // It could never be taken back.
  [{ [OLD]: '9007199254740991' }, 0, [OLD]],
  // A folder in its place.
  [{ [`${OLD}/file`]: '' }, 0, [OLD]],
] as const) {
  void t.test(JSON.stringify(files), (t) => {
    const root = makePtnRoot(t, { files: { ...files } });
    const warned: unknown[] = [];
    const log = { warn: ({ event, place }: { event: string; place: string }) => warned.push([event, place]) };
    t.equal(pythonSequence(root.path, log), expected);
    t.same(
      warned,
      bad.map((place) => ['sequence-file-bad', place]),
    );
    t.end();
  });
}
