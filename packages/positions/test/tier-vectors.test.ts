import {
  cutPosition,
  filterDashboard,
  rebuildPosition,
  sliceArray,
  sliceDashboard,
  sliceObject,
  summaryFields,
} from '../dist/index.js';
import type { DashboardMap, Position } from '@ptn-api/protocol';
import { TIERS } from '@ptn-api/protocol';
import t from 'tap';
import { compareTexts, noDifference, positionsOf, vectorSet, vectorSets } from './vectors.ts';

for (const set of vectorSets()) {
  void t.test(`${set.name}: every tier is what the validator wrote`, (t) => {
    for (const tier of TIERS) {
      const difference = noDifference();
      compareTexts(filterDashboard(set.input, tier, set.now).text, set.read(`tier_${tier}`), difference);
      t.strictSame(difference.unequal, [], `tier ${tier}`);
      t.ok(difference.numbers > 1000, `${difference.numbers} numbers, at most ${difference.worst} apart`);
    }
    t.end();
  });
}

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
  void t.test(`${name}: each position as of each of its orders`, (t) => {
    const set = vectorSet(name);
    const texts = new Map<string, string>();
    for (const { positions } of sliceDashboard(set.input).miners) {
      for (const text of positions) texts.set((JSON.parse(text) as Position).position_uuid, text);
    }
    const rebuilds = set.read('prefix_rebuilds');
    const difference = noDifference();
    let count = 0;
    for (const { start, end } of sliceArray(rebuilds)) {
      const text = rebuilds.slice(start, end);
      const { position_uuid: uuid, n_orders: orders } = JSON.parse(text) as {
        position_uuid: string;
        n_orders: number;
      };
      const position = sliceObject(text).find(({ key }) => key === 'position');
      const cut = cutPosition(texts.get(uuid) ?? '', (index) => index < orders);
      compareTexts(
        cut.ok ? cut.text : cut.reason,
        text.slice(position?.valueStart, position?.valueEnd),
        difference,
        `${uuid}/${orders}`,
      );
      count += 1;
    }
    t.strictSame(difference.unequal, []);
    t.equal(count, 665);
    t.end();
  });

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
