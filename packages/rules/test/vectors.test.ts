import { fileURLToPath } from 'node:url';
import { runVectors } from '@ptn-api/testkit/vectors';
import t from 'tap';

const results = [...runVectors(fileURLToPath(new URL('../fixtures/orders', import.meta.url)))];

for (const { path, difference } of results) {
  void t.test(`${path}: what the validator answered`, (t) => {
    t.strictSame(difference.unequal, []);
    t.end();
  });
}

void t.test('every file was recognised, with all its cases', (t) => {
  t.strictSame(Object.fromEntries(results.map(({ path, cases }) => [path, cases])), {
    'carry_fee.json.gz': 150,
    'dashboard/validator_get_dash_data.json.gz': 7,
    'generation_2025_11_slippage.json.gz': 75,
    'intake/cases.json.gz': 431,
    'leverage.json.gz': 299,
    'market_hours/table.json.gz': 2498,
    'price_correction/cases.json.gz': 13,
    'slippage.json.gz': 135,
    'slippage_parameters.json.gz': 70,
    'trade_pairs.json.gz': 49,
  });
  t.end();
});

void t.test('only what was decided on is answered otherwise', (t) => {
  t.strictSame(
    results.flatMap(({ difference }) => difference.expected.map((line) => line.replace(/^.*?: /, ''))),
    [
      'an open equity does not make an index look open',
      'the uuid becomes the name of a file',
      ...Array<string>(4).fill('a holiday that the recording has no session table for'),
      ...Array<string>(4).fill('the answer does not depend on earlier questions'),
    ],
  );
  t.end();
});
