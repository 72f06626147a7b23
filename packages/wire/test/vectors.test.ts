import { fileURLToPath } from 'node:url';
import { runVectors } from '@ptn-api/testkit/vectors';
import t from 'tap';

const CASES: Readonly<Record<string, readonly [cases: number, onPurpose: number]>> = {
  'wire/body_hash.json.gz': [40, 0],
  'wire/dendrite_results.json.gz': [15, 3],
  'wire/keys.json.gz': [46, 0],
  'wire/requests.json.gz': [78, 9],
};

const results = [...runVectors(fileURLToPath(new URL('../fixtures', import.meta.url)))];

void t.test('what the Python sides of the wire did', (t) => {
  for (const { path, cases, difference } of results) {
    t.same(difference.unequal, [], path);
    t.same([cases, difference.expected.length], CASES[path], `${path}: all cases, and no more on purpose`);
  }
  t.equal(results.length, 4);
  t.end();
});
