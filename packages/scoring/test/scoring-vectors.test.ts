import { fileURLToPath } from 'node:url';
import { runVectors } from '@ptn-api/testkit/vectors';
import t from 'tap';

const results = [...runVectors(fileURLToPath(new URL('../fixtures', import.meta.url)))];

for (const { path, difference } of results) {
  void t.test(`${path}: what the validators' scoring answered`, (t) => {
    t.strictSame(difference.unequal, []);
    t.ok(difference.worst < 1e-11, `${difference.numbers} numbers, at most ${difference.worst} apart`);
    t.end();
  });
}

void t.test('every file was recognised, with all its cases', (t) => {
  t.strictSame(Object.fromEntries(results.map(({ path, cases }) => [path, cases])), {
    'challenge_period.json.gz': 55,
    'combine_parts.json.gz': 93,
    'drawdown_penalty.json.gz': 41,
    'generation_2024_04.json.gz': 49,
    'generation_2025_02.json.gz': 81,
    'generation_2025_06.json.gz': 81,
    'generation_2025_11_debt.json.gz': 7,
    'generation_2025_11_metrics.json.gz': 41,
    'generation_2025_11_scoring.json.gz': 45,
    'generation_2025_12_debt.json.gz': 7,
    'martingale_2025_02.json.gz': 44,
    'metrics.json.gz': 41,
    'perf_ledger.json.gz': 11,
    'plagiarism.json.gz': 11,
    'risk_profile.json.gz': 44,
    'scoring_1.json.gz': 1,
    'scoring_200.json.gz': 200,
    'scoring_40.json.gz': 40,
    'scoring_5.json.gz': 5,
    'statistics.json.gz': 19,
  });
  t.end();
});

void t.test('where Python fails there is an answer, and nowhere else is it another', (t) => {
  const expected = results.flatMap(({ difference }) => difference.expected);
  t.equal(expected.length, 8);
  t.ok(expected.every((line) => line.endsWith('where Python fails')));
  t.end();
});
