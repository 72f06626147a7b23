import { filterDashboard, rebuildPosition, sliceDashboard, summaryFields } from '../dist/index.js';
import type { DashboardMap } from '@ptn-api/protocol';
import t from 'tap';
import { runVectors } from '@ptn-api/testkit/vectors';
import { positionsOf, vectorSet, vectorSets } from './vectors.ts';
import { fileURLToPath } from 'node:url';

const results = [...runVectors(fileURLToPath(new URL('../fixtures/tiers', import.meta.url)))];

for (const { path, cases, difference } of results) {
  void t.test(`${path}: what the validator wrote`, (t) => {
    t.strictSame(difference.unequal, []);
    t.ok(difference.numbers > 1000, `${difference.numbers} numbers, at most ${difference.worst} apart`);
    t.ok(cases > 0);
    t.end();
  });
}

void t.test('all files are of a known form, and the rebuilds all that there are', (t) => {
  t.equal(results.filter(({ path }) => path.includes('tier_')).length, 4 * vectorSets().length);
  t.same(
    results.filter(({ path }) => path.includes('prefix_rebuilds')).map(({ cases }) => cases),
    [863, 75, 665, 665],
  );
  t.end();
});

void t.test('the vectors hold cut and dropped positions, so that the tests above test something', (t) => {
  const { input, now } = vectorSet('dev/2025');
  const before = new Set(sliceDashboard(input).miners.flatMap(({ positions }) => positions));
  const after = sliceDashboard(filterDashboard(input, 0, now).text).miners.flatMap(
    ({ positions }) => positions,
  );
  t.equal(after.filter((text) => !before.has(text)).length, 98, 'cut');
  t.equal(before.size - after.length, 23, 'dropped');
  t.end();
});

for (const name of ['real_ck/2025', 'real_tm/2025']) {
  void t.test(`${name}: closed positions rebuild to exactly what the validator stored`, (t) => {
    const closed = positionsOf(vectorSet(name).input).filter((position) => position.is_closed_position);
    t.equal(closed.length, name.startsWith('real_ck') ? 73 : 71);
    t.strictSame(
      closed.map((position) => rebuildPosition(position, position.orders)),
      closed,
    );
    t.end();
  });
}

// Made-up positions of all pair classes, dates from 2024 on and order sources, with what Python made of them; the one
// left out has a first order without leverage.
for (const generation of ['2025', 'account-size']) {
  void t.test(`dev/${generation}: positions of all dates rebuild to exactly what Python computed`, (t) => {
    const positions = positionsOf(vectorSet(`dev/${generation}`).input).filter(
      (position) => position.position_type !== null,
    );
    t.equal(positions.length, 353);
    const rebuilt = positions.map((position) => {
      const { close_ms: closeMs, ...rest } = rebuildPosition(position, position.orders);
      // An open position has 0 on the dashboard.
      return { ...rest, close_ms: closeMs ?? 0 };
    });
    t.strictSame(rebuilt, positions);
    t.end();
  });
}

void t.test('a first order without leverage cannot be accounted', (t) => {
  const position = positionsOf(vectorSet('dev/2025').input).find(({ position_type: type }) => type === null);
  t.ok(position);
  if (position !== undefined) {
    t.throws(() => rebuildPosition(position, position.orders), {
      name: 'RangeError',
      message: /first order has a leverage of 0/,
    });
  }
  t.end();
});

void t.test('summary fields are what Python computed', (t) => {
  const { input, now } = vectorSet('dev/account-size');
  for (const [hotkey, miner] of Object.entries(JSON.parse(input) as DashboardMap)) {
    const { positions, ...want } = miner;
    const { changeMs, ...got } = summaryFields(
      positions.map((p) => ({
        openMs: p.open_ms,
        closeMs: p.is_closed_position ? p.close_ms : null,
        returnAtClose: p.return_at_close,
      })),
      now,
    );
    t.strictSame(got, want, hotkey);
    t.ok(changeMs > now);
  }
  t.end();
});
