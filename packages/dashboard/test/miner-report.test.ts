import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { minerReport } from '../dist/compiled/miner/model/miner-report.js';
import type { MinerReport } from '../dist/compiled/miner/model/miner-report.js';
import { freshnessOf, readStatus } from '../dist/compiled/miner/model/miner-status.js';
import { readSources } from '../dist/compiled/miner/model/read-positions.js';
import { HOTKEY, ODD_ANSWERS, minerAnswer, order, position, withPositions } from './miner-answer.ts';

void t.test('what a validator says of the miner is read', (t) => {
  const report = minerReport(minerAnswer, HOTKEY);
  t.same(report.challenge, {
    status: 'testing',
    startMs: 1746000000000,
    remainingMs: 5000,
    threshold: 0.75,
  });
  t.same(
    report.metrics.map(({ name, rank, contribution, isScored }) => [name, rank, contribution, isScored]),
    [
      ['omega', 1, 0.2, true],
      ['calmar', 3, 0.16, true],
      ['return', 2, 0, false],
    ],
  );
  t.same(
    report.penalties.map(({ name }) => name),
    ['drawdown_threshold', 'risk_profile', 'total'],
  );
  t.same(report.weight, { name: 'weight', value: 0.01, rank: 3, percentile: 0.8 });
  t.equal(report.drawdown?.toFixed(6), '0.030000');
  t.same(report.engagement, { closedPositions: 4, openMs: 7200000 });
  t.same(
    [report.recentReturn, report.allTimeReturn, report.countedPositions, report.profitable],
    [1.001, 1.002, 2, 1],
  );
  t.same(
    report.performance.returns.map(({ time, value }) => [time, value.toFixed(6)]),
    [
      [1746000000, '0.000000'],
      [1746100000, '1.000000'],
    ],
    'in the order of time',
  );
  t.same(
    report.performance.drawdowns.map(({ value }) => value.toFixed(6)),
    ['0.000000', '-1.000000'],
  );
  const [shown] = report.positions;
  t.match(shown, { position_uuid: 'p1', close_ms: null, is_closed_position: false, return_at_close: 1.02 });
  t.same(shown && shown.orders.map(readSources), [
    [
      {
        source: 'Polygon_ws',
        startMs: 1747231139800,
        timespanMs: 0,
        lagMs: 200,
        open: 1,
        high: 3,
        low: 0.5,
        close: 2,
        bid: null,
        ask: null,
      },
    ],
  ]);
  t.end();
});

void t.test('the answers of the Python validator are read', (t) => {
  const path = new URL('../fixtures/validator_get_dash_data.json.gz', import.meta.url);
  const cases = JSON.parse(gunzipSync(readFileSync(path)).toString()) as {
    name: string;
    steps: { hotkey: string; answer: { data: unknown } }[];
  }[];
  const shown = cases.flatMap(({ name, steps }) =>
    steps.map((step) => {
      const { hasStatistics, challenge, positions, weight } = minerReport(step.answer.data, step.hotkey);
      const open = positions.filter(({ is_closed_position: isClosed }) => !isClosed).length;
      return [name, hasStatistics, challenge.status, positions.length, open, weight.rank];
    }),
  );
  t.same(shown, [
    ['no-statistics-file', false, '', 0, 0, null],
    ['one-open-two-closed', true, 'testing', 3, 1, 3],
    ['one-open-two-closed', false, '', 0, 0, null],
    ['one-open-two-closed', true, 'testing', 3, 1, 3],
    ['miner-with-statistics-but-no-positions', true, 'success', 0, 0, 1],
    ['miner-without-statistics', false, 'testing', 0, 0, null],
    ['eliminated-miner-is-served', false, '', 0, 0, null],
  ]);
  t.end();
});

/** What is left of an odd answer: statistics, metrics, points of the curve, positions, orders. */
function summary(report: MinerReport): readonly unknown[] {
  const { hasStatistics, metrics, performance, positions } = report;
  const orders = positions.reduce((sum, { orders: list }) => sum + list.length, 0);
  return [hasStatistics, metrics.length, performance.returns.length, positions.length, orders];
}

void t.test('odd answers are read as far as they make sense', (t) => {
  for (const [name, data, expected] of ODD_ANSWERS)
    t.same(summary(minerReport(data, HOTKEY)), expected, name);
  t.end();
});

void t.test('what is not as expected in a position is a dash, not a fault', (t) => {
  const read = (changes: object) =>
    minerReport(withPositions([{ ...position, ...changes }]), HOTKEY).positions[0];
  for (const value of [null, 'NaN', 'Infinity', {}, [], true, undefined]) {
    t.match(read({ return_at_close: value, net_leverage: value, open_ms: value }), {
      return_at_close: NaN,
      net_leverage: NaN,
      open_ms: NaN,
    });
    t.match(read({ orders: [{ ...order, leverage: value, price: value, processed_ms: value }] }), {
      orders: [{ leverage: NaN, price: NaN, processed_ms: NaN }],
    });
  }
  const pairs: readonly (readonly [unknown, readonly string[]])[] = [
    [
      ['BTCUSD', 'BTC/USD'],
      ['BTCUSD', 'BTC/USD'],
    ],
    [{ trade_pair_id: 'BTCUSD', trade_pair: 'BTC/USD' }, ['BTCUSD', 'BTC/USD']],
    ['BTCUSD', ['BTCUSD', '']],
    [null, ['?', '']],
    [
      [1, null],
      ['?', ''],
    ],
  ];
  for (const [pair, expected] of pairs) t.same(read({ trade_pair: pair })?.trade_pair.slice(0, 2), expected);
  t.equal(read({ position_type: 'BUY' })?.position_type, null);
  t.equal(read({ orders: [{ ...order, order_type: '<b>' }] })?.orders[0]?.order_type, '?');
  t.equal(read({ orders: [{ ...order, price_sources: 'x' }] })?.orders[0]?.price_sources.length, 0);
  t.equal(read({ is_closed_position: undefined, close_ms: 5 })?.is_closed_position, true);
  t.equal(read({ is_closed_position: undefined, close_ms: 0 })?.is_closed_position, false);
  t.match(read({ net_quantity: 2, net_value: 'x' }), { net_quantity: 2 });
  t.end();
});

void t.test(
  'without checkpoints the curve is that of the closed positions, as far as they have returns',
  (t) => {
    const closed = (uuid: string, factor: unknown) => ({
      ...position,
      position_uuid: uuid,
      close_ms: position.open_ms + 90_000,
      is_closed_position: true,
      return_at_close: factor,
    });
    const data = withPositions([closed('a', 1.1), closed('b', 'NaN'), { ...closed('c', 1), open_ms: null }]);
    const { performance } = minerReport({ ...data, statistics: {} }, HOTKEY);
    t.equal(performance.title, 'Return of closed positions');
    t.equal(performance.returns.at(-1)?.value.toFixed(6), '10.000000');
    t.same(performance.drawdowns, []);
    t.end();
  },
);

void t.test(
  'whatever stands in place of a value, reading does not fail and finds no number in what is none',
  (t) => {
    const paths: (readonly string[])[] = [];
    const walk = (value: unknown, path: readonly string[]): void => {
      paths.push(path);
      if (typeof value !== 'object' || value === null) return;
      for (const [name, inner] of Object.entries(value)) walk(inner, [...path, name]);
    };
    walk(minerAnswer, []);
    const replaced = (value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown => {
      if (name === undefined) return by;
      const copy: Record<string, unknown> = Array.isArray(value)
        ? (value.slice() as unknown as Record<string, unknown>)
        : { ...(value as object) };
      copy[name] = replaced(copy[name], rest, by);
      return copy;
    };
    for (const path of paths) {
      for (const by of [null, 'NaN', '', 1e308, -1, [], {}, [null], true]) {
        const { weight, profitable, performance, statisticsMs } = minerReport(
          replaced(minerAnswer, path, by),
          HOTKEY,
        );
        const numbers = [
          weight.value,
          weight.rank,
          profitable,
          statisticsMs,
          ...performance.returns.map(({ value }) => value),
        ];
        const isRight = numbers.every((number) => number === null || Number.isFinite(number));
        if (!isRight) t.fail(`${path.join('.')}: ${JSON.stringify(by)}`);
      }
    }
    t.ok(paths.length > 80, 'many were tried');
    t.end();
  },
);

void t.test('what the miner says of its data is read, and how far that may be relied on', (t) => {
  const status = readStatus(
    {
      hotkey: HOTKEY,
      now_ms: 1_000_500,
      asked_ms: 999_000,
      answered_ms: 990_000,
      data_id: 'x',
      validators: [{ hotkey: '5A', result: 'refused', text: 'no', last_order_ms: 5, is_shown: true }],
    },
    1_000_000,
  );
  t.match(status, { hotkey: HOTKEY, clockOffsetMs: 500, isAsking: false, dataId: 'x' });
  t.same(status.validators, [{ hotkey: '5A', result: 'refused', text: 'no', lastOrderMs: 5, isShown: true }]);
  t.equal(freshnessOf(status, 1_000_500), 'fresh');
  t.equal(freshnessOf(status, 1_300_000), 'stale');
  t.equal(freshnessOf({ ...status, answeredMs: null }, 1_000_500), 'unanswered');
  t.equal(freshnessOf({ ...status, answeredMs: null, askedMs: null }, 1_000_500), 'asking');
  for (const odd of [null, 'x', [], { validators: {} }]) {
    const read = readStatus(odd, 5);
    t.match(read, { hotkey: '', clockOffsetMs: 0 });
    t.strictSame(read.validators, []);
  }
  t.end();
});
