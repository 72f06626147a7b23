import { filterDashboard, sliceDashboard } from '../dist/index.js';
import { TIERS } from '@ptn-api/protocol';
import t from 'tap';
import { CUTOFF, NOW, order, positionOf } from './sample-positions.ts';
import { vectorSets } from './vectors.ts';

const text = JSON.stringify(positionOf([order()]));
const live = JSON.stringify(positionOf([order({ processed_ms: CUTOFF })]));

for (const { name, input, now } of vectorSets()) {
  void t.test(`${name}: tier 100 keeps every position byte for byte`, (t) => {
    const filtered = filterDashboard(input, 100, now);
    t.strictSame(sliceDashboard(filtered.text).miners, sliceDashboard(input).miners);
    const { dropped, nonFinite, warnings } = filtered;
    t.strictSame({ dropped, nonFinite, warnings }, { dropped: 0, nonFinite: 0, warnings: [] });
    t.end();
  });

  void t.test(
    `${name}: every tier shows at least as many positions as the lower one, of the same miners`,
    (t) => {
      const counts = TIERS.map((tier) =>
        sliceDashboard(filterDashboard(input, tier, now).text).miners.map((m) => m.positions.length),
      );
      counts.forEach((miners, index) => {
        const higher = counts[index + 1] ?? miners;
        t.equal(higher.length, miners.length);
        t.ok(miners.every((count, miner) => count <= (higher[miner] ?? 0)));
      });
      t.end();
    },
  );
}

void t.test('members besides positions and tier pass as they are written', (t) => {
  const map = `{"a": {"n_positions": 1.50, "positions": [${text}], "tier": 30, "new":[ 1 ]}, "b": {"positions": []}}`;
  t.strictSame(sliceDashboard(map), {
    nonFinite: 0,
    miners: [
      { hotkey: 'a', positions: [text], rest: '"n_positions": 1.50, "new":[ 1 ]' },
      { hotkey: 'b', positions: [], rest: '' },
    ],
  });
  t.equal(
    filterDashboard(map, 0, NOW).text,
    `{"a": {"positions": [${text}], "n_positions": 1.50, "new":[ 1 ], "tier": 0}, "b": {"positions": [], "tier": 0}}`,
  );
  t.end();
});

void t.test('a miner all of whose positions are hidden stays', (t) => {
  t.strictSame(filterDashboard(`{"a": {"positions": [${live}]}}`, 0, NOW), {
    text: '{"a": {"positions": [], "tier": 0}}',
    nonFinite: 0,
    dropped: 1,
    warnings: [],
  });
  t.end();
});

void t.test('no hotkey is special', (t) => {
  const hotkeys = ['__proto__', 'constructor', 'toString', '', '\u{1f600}"\\', '\ud800', '12', '1'];
  const map = `{${hotkeys.map((hotkey) => `${JSON.stringify(hotkey)}: {"positions": [${text}]}`).join()}}`;
  const filtered = filterDashboard(map, 50, NOW).text;
  t.strictSame(
    sliceDashboard(filtered).miners.map(({ hotkey }) => hotkey),
    hotkeys,
  );
  t.end();
});

void t.test('of a repeated hotkey the last value counts', (t) => {
  t.strictSame(
    sliceDashboard(`{"a": {"positions": [${text}]}, "b": {"positions": []}, "a": {"positions": []}}`).miners,
    [
      { hotkey: 'a', positions: [], rest: '' },
      { hotkey: 'b', positions: [], rest: '' },
    ],
  );
  t.end();
});

void t.test('NaN and Infinity become null and are counted', (t) => {
  const map = '{"a": {"positions": [], "all_time_returns": NaN, "x": -Infinity}}';
  t.match(filterDashboard(map, 100, NOW), {
    nonFinite: 2,
    text: '{"a": {"positions": [], "all_time_returns": null, "x": null, "tier": 100}}',
  });
  t.end();
});

void t.test('what is no position is left out in every tier, with a warning', (t) => {
  for (const tier of TIERS) {
    t.match(filterDashboard(`{"a": {"positions": [{"x": 1}, ${text}]}}`, tier, NOW), {
      text: `{"a": {"positions": [${text}], "tier": ${tier}}}`,
      dropped: 1,
      warnings: ['position 0 of a is left out: it has no position_uuid'],
    });
  }
  t.end();
});

void t.test('a record that cannot be delayed yet is dropped with a warning', (t) => {
  const orders = [order(), order({ processed_ms: CUTOFF })];
  const record = JSON.stringify({ ...positionOf(orders), net_quantity: 1, net_margin: 1 });
  t.match(filterDashboard(`{"a": {"positions": [${record}]}}`, 0, NOW), {
    dropped: 1,
    warnings: [/its form is not known/],
  });
  t.end();
});

void t.test('what had to be guessed of a position is said once for each', (t) => {
  const guessed = positionOf([order(), order({ processed_ms: CUTOFF })], {
    trade_pair: ['NEWPAIR', 'NEW/PAIR', 0.003, 0.01, 0.5],
  });
  const { warnings, dropped } = filterDashboard(
    `{"a": {"positions": [${JSON.stringify(guessed)}, ${text}, ${live}]}}`,
    0,
    NOW,
  );
  t.equal(dropped, 1);
  t.equal(warnings.length, 1);
  t.match(warnings[0], /unknown trade pair NEWPAIR/);
  t.strictSame(sliceDashboard(`\n {"a": {"positions": []}} \n`).miners, [
    { hotkey: 'a', positions: [], rest: '' },
  ]);
  t.end();
});

void t.test('what is no dashboard map is refused with the reason', (t) => {
  t.throws(() => sliceDashboard('[]'), { name: 'NotADashboardError', message: /it is no object/ });
  t.throws(() => sliceDashboard('{"a": 1}'), {
    name: 'NotADashboardError',
    message: /value of "a" is no object/,
  });
  t.throws(() => sliceDashboard('{"a": {"positions": {}}}'), { message: /"a" has no list "positions"/ });
  t.throws(() => sliceDashboard('{"a": {'), { name: 'JsonSyntaxError' });
  t.throws(() => sliceDashboard('{} {}'), { name: 'JsonSyntaxError', position: 3 });
  t.throws(() => sliceDashboard(''), { name: 'JsonSyntaxError' });
  t.end();
});
