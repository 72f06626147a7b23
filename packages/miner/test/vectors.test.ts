import { fileURLToPath } from 'node:url';
import { runVectors } from '@ptn-api/testkit/vectors';
import t from 'tap';

const CASES: Readonly<Record<string, readonly [cases: number, onPurpose: number]>> = {
  'dashboard/miner_data_api.json.gz': [8, 0],
  'miner_loop/outcomes.json.gz': [32, 12],
  'signals/http.json.gz': [151, 0],
  'signals/http_vanta_2025-12.json.gz': [86, 1],
};

const results = [...runVectors(fileURLToPath(new URL('../fixtures', import.meta.url)))];

void t.test('what the Python miner did', (t) => {
  for (const { path, cases, difference } of results) {
    t.same(difference.unequal, [], path);
    t.same([cases, difference.expected.length], CASES[path], `${path}: all cases, and no more on purpose`);
  }
  t.equal(results.length, 4);
  t.end();
});
