import type { MinerPositions, Order, Position } from '@ptn-api/protocol';
import fc from 'fast-check';
import t from 'tap';
import {
  formatAge,
  formatChange,
  formatDuration,
  formatLeverage,
  formatPrice,
  formatQuantity,
  formatReturn,
  formatShortTime,
  formatTime,
  shortHotkey,
  toneOf,
} from '../dist/compiled/model/format.js';
import { evenSteps, minerRow, openReturn, orderRows, returnCurve } from '../dist/compiled/model/miners.js';
import { placeLink, readPlace, restUrl, streamUrl, VIEWS } from '../dist/compiled/model/place.js';
import { refusalKind, refusalText } from '../dist/compiled/model/refusal.js';
import { compounded, eliminationRows, statisticsRow } from '../dist/compiled/model/statistics.js';
import { filterRows, nextOrder, rowWindow, sortRows } from '../dist/compiled/model/table.js';
import { TAPE_LENGTH, addToTape, lagSummary, tapeRow } from '../dist/compiled/model/tape.js';

const DAY_MS = 86_400_000;

function order(processedMs: number): Order {
  return {
    order_type: 'LONG',
    leverage: 0.5,
    price: 100,
    processed_ms: processedMs,
    order_uuid: `order-${processedMs}`,
    price_sources: [],
  };
}

function position(openMs: number, closeMs: number | null, returnAtClose: number): Position {
  return {
    miner_hotkey: 'miner',
    position_uuid: `position-${openMs}`,
    open_ms: openMs,
    trade_pair: ['BTCUSD', 'BTC/USD', 0.003, 0.001, 20],
    orders: closeMs === null ? [order(openMs)] : [order(openMs), order(closeMs)],
    current_return: returnAtClose,
    close_ms: closeMs,
    net_leverage: 0.5,
    return_at_close: returnAtClose,
    average_entry_price: 100,
    cumulative_entry_value: 50,
    realized_pnl: 0,
    position_type: 'LONG',
    is_closed_position: closeMs !== null,
  };
}

await t.test('numbers are written with sign and unit, and what is none as a dash', (t) => {
  t.same([formatReturn(1.0251), formatReturn(0.9), formatReturn(1)], ['+2.51%', '-10.00%', '0.00%']);
  t.same([formatReturn(null), formatChange(NaN), formatPrice(0), formatLeverage('2')], ['–', '–', '–', '–']);
  t.same([formatPrice(95504.16), formatPrice(0.00001234)], ['95,504.16', '0.00001234']);
  t.equal(formatLeverage(-0.27), '-0.270×');
  t.same([formatQuantity(-1234.56), formatQuantity(-0), formatQuantity(null)], ['-1,234.56', '0', '–']);
  t.same([4, 1500, 90_000, 7_200_000, 3 * DAY_MS].map(formatDuration), [
    '4 ms',
    '1.5 s',
    '1.5 min',
    '2.0 h',
    '3.0 d',
  ]);
  t.equal(formatTime(Date.UTC(2026, 0, 31, 23, 59, 59)), '2026-01-31 23:59:59');
  t.same([formatTime(null), formatTime(1e300)], ['–', '–']);
  t.equal(shortHotkey('5Fq1NgxNhXhMFxetAgcfp8vXpczqoDHk2Am3N8uFbiFJRCsv'), '5Fq1N…RCsv');
  t.end();
});

await t.test('a short time tells of other days that they are others', (t) => {
  const time = Date.UTC(2026, 0, 31, 23, 59, 59);
  t.equal(formatShortTime(time, time + 999), '23:59:59');
  t.equal(formatShortTime(time, time + 1000), '01-31 23:59');
  t.equal(formatShortTime(null, time), '–');
  t.end();
});

await t.test('an age is never below zero, whatever the clocks say', (t) => {
  t.same([formatAge(1000, 4000), formatAge(4000, 1000), formatAge(null, 0)], ['3.0 s ago', 'just now', '–']);
  t.end();
});

await t.test('a return has the colour of the sign that is shown', (t) => {
  t.same([1.1, 0.9, 1, 0.99999, 1.00001, null].map(toneOf), ['up', 'down', 'flat', 'flat', 'flat', 'flat']);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 3, noNaN: true }), (factor) => {
      const sign = { up: '+', down: '-', flat: '0' }[toneOf(factor)];
      t.equal(formatReturn(factor)[0], sign);
    }),
    { numRuns: 50 },
  );
  t.end();
});

await t.test('rows are sorted by value, and those without one come last in both directions', (t) => {
  const rows = [2, null, 10, undefined, -1, NaN];
  t.same(
    sortRows(rows, (row) => row, false),
    [-1, 2, 10, null, undefined, NaN],
  );
  t.same(
    sortRows(rows, (row) => row, true),
    [10, 2, -1, null, undefined, NaN],
  );
  t.same(
    sortRows(['b10', 'a', 'B9'], (row) => row, false),
    ['a', 'B9', 'b10'],
  );
  t.end();
});

await t.test('rows of equal value keep their order in both directions', (t) => {
  const rowsOf = fc.array(fc.record({ id: fc.integer(), value: fc.integer({ min: 0, max: 3 }) }));
  fc.assert(
    fc.property(rowsOf, fc.boolean(), (rows, isDescending) => {
      const sorted = sortRows(rows, ({ value }) => value, isDescending);
      for (const value of [0, 1, 2, 3]) {
        const isIt = (row: { value: number }) => row.value === value;
        t.same(sorted.filter(isIt), rows.filter(isIt));
      }
    }),
    { numRuns: 50 },
  );
  t.end();
});

await t.test('a click on a head sorts by it, and another one turns the order round', (t) => {
  const first = nextOrder({ column: 'miner', isDescending: false }, 'return', false);
  t.same(first, { column: 'return', isDescending: true });
  t.same(nextOrder(first, 'return', false), { column: 'return', isDescending: false });
  t.same(nextOrder(first, 'miner', true), { column: 'miner', isDescending: false });
  t.end();
});

await t.test('a filter wants every word, in any case and order', (t) => {
  const rows = ['5Abc BTC/USD LONG', '5Xyz BTC/USD SHORT', '5Abc ETH/USD SHORT'];
  t.same(filterRows(rows, ' short  btc', String), ['5Xyz BTC/USD SHORT']);
  t.equal(filterRows(rows, '  ', String), rows, 'no words: all');
  t.same(filterRows(rows, 'doge', String), []);
  t.end();
});

await t.test('the window holds what is seen, and its fillers make up for the rest', (t) => {
  const sizes = fc.record({
    count: fc.nat(100_000),
    scrollTop: fc.nat(5_000_000),
    viewHeight: fc.integer({ min: 1, max: 3000 }),
  });
  fc.assert(
    fc.property(sizes, ({ count, scrollTop, viewHeight }) => {
      const top = Math.min(scrollTop, Math.max(0, count * 36 - viewHeight));
      const { from, to, above, below } = rowWindow(count, 36, { scrollTop: top, viewHeight });
      const isRight =
        above + (to - from) * 36 + below === count * 36 &&
        from * 36 <= top &&
        (to === count || to * 36 >= top + viewHeight) &&
        to - from <= Math.ceil(viewHeight / 36) + 16;
      if (!isRight) throw new Error(JSON.stringify({ from, to, above, below, top }));
    }),
  );
  t.same(rowWindow(0, 36, { scrollTop: 0, viewHeight: 500 }), { from: 0, to: 0, above: 0, below: 0 });
  t.end();
});

await t.test("a miner's row counts open positions and knows the last order", (t) => {
  const miner: MinerPositions = {
    positions: [position(1000, 5000, 1.1), position(2000, null, 0.9)],
    thirty_day_returns: 1.02,
    all_time_returns: 1.03,
    n_positions: 1,
    percentage_profitable: 1,
    tier: 100,
  };
  t.same(minerRow('5Abc', miner), {
    hotkey: '5Abc',
    recentReturn: 1.02,
    allTimeReturn: 1.03,
    positions: 2,
    open: 1,
    profitable: 1,
    lastOrderMs: 5000,
  });
  t.equal(minerRow('5Abc', { ...miner, positions: [] }).lastOrderMs, null);
  t.same(
    orderRows(miner.positions).map(({ order }) => order.processed_ms),
    [5000, 2000, 1000],
  );
  t.end();
});

await t.test(
  'the return curve multiplies closed positions in the order of closing, as the validator does',
  (t) => {
    const positions = [
      position(3000, null, 0.5),
      position(1000, 90_000, 2),
      position(2000, 70_000, 1.5),
      // Open for less than a minute.
      position(60_000, 80_000, 3),
    ];
    t.same(returnCurve(positions), [
      { time: 1, value: 0 },
      { time: 70, value: 50 },
      { time: 90, value: 200 },
    ]);
    t.same(returnCurve([]), []);
    t.equal(openReturn(positions), 0.5);
    t.equal(openReturn(positions.slice(1)), null);
    t.end();
  },
);

await t.test('the times of a return curve rise, as a chart needs them', (t) => {
  const closings = fc.array(
    fc.tuple(fc.nat(20_000), fc.nat(20_000), fc.double({ min: 0.5, max: 2, noNaN: true })),
  );
  fc.assert(
    fc.property(closings, (all) => {
      const curve = returnCurve(
        all.map(([openMs, lengthMs, factor]) => position(openMs, openMs + lengthMs + 60_000, factor)),
      );
      const product = all.reduce((whole, [, , factor]) => whole * factor, 1);
      const isRising = curve.every(({ time }, index) => index === 0 || time > (curve[index - 1]?.time ?? 0));
      const end = curve.at(-1)?.value ?? 0;
      if (!isRising || Math.abs(end - (product - 1) * 100) > 1e-6 * Math.max(1, product * 100)) {
        throw new Error(JSON.stringify(curve));
      }
    }),
  );
  t.end();
});

await t.test('a curve at equal steps has the value that held at each of them', (t) => {
  const curve = [
    { time: 0, value: 0 },
    { time: 1, value: 5 },
    { time: 90, value: 7 },
    { time: 100, value: 9 },
  ];
  t.same(
    evenSteps(curve, 4).map(({ time, value }) => [time, value]),
    [
      [0, 0],
      [25, 5],
      [50, 5],
      [75, 5],
      [100, 9],
    ],
  );
  t.equal(evenSteps(curve, 101), curve, 'no step is shorter than a second');
  t.same(evenSteps([], 4), []);
  t.end();
});

await t.test('statistics are read as far as they are there', (t) => {
  const element: unknown = {
    hotkey: '5Abc',
    challengeperiod: { status: 'testing' },
    weight: { value: 0.1, rank: 3 },
    augmented_scores: { omega: { value: 2, rank: 1, percentile: 0.9 }, calmar: 'broken' },
    daily_returns: [
      { date: '2026-09-06', value: -50 },
      { date: '2026-09-05', value: 10 },
      { date: 'never', value: 1 },
      null,
    ],
    drawdowns: { max_drawdown: 0.75 },
  };
  const row = statisticsRow(element as Parameters<typeof statisticsRow>[0]);
  t.same(row.scores, [
    { name: 'omega', value: 2, rank: 1, percentile: 0.9 },
    { name: 'calmar', value: null, rank: null, percentile: null },
  ]);
  t.same([row.status, row.weight, row.rank, row.penalty, row.drawdown], ['testing', 0.1, 3, null, 0.25]);
  const days = [Date.UTC(2026, 8, 5) / 1000, Date.UTC(2026, 8, 6) / 1000];
  t.same(
    row.dailyReturns,
    days.map((time, index) => ({ time, value: [10, -50][index] })),
  );
  t.same(
    compounded(row.dailyReturns).map(({ value }) => value.toFixed(6)),
    ['10.000000', '-45.000000'],
  );
  t.same(statisticsRow({ hotkey: 'bare' }).dailyReturns, []);
  const left = statisticsRow({ hotkey: 'left', drawdowns: { max_drawdown: 0.75 } });
  t.equal(left.drawdown, 0.25, 'validators write what was left of the highest value');
  t.end();
});

await t.test('eliminations without a hotkey are passed over', (t) => {
  const entry = { hotkey: '5Abc', reason: 'MAX_TOTAL_DRAWDOWN', dd: 12.5, elimination_initiated_time_ms: 5 };
  const list = [entry, {}, 'x'] as (typeof entry)[];
  const row = { hotkey: '5Abc', reason: 'MAX_TOTAL_DRAWDOWN', drawdown: 0.125, sinceMs: 5 };
  t.same(eliminationRows({ eliminations: list }), [row]);
  t.same(eliminationRows(list), [row], 'a list by itself');
  t.same(eliminationRows({}), []);
  for (const [reason, dd] of [
    ['FAILED_CHALLENGE_PERIOD_TIME', -1],
    ['PLAGIARISM', 0.95],
    ['LIQUIDATED', 0],
    ['MAX_TOTAL_DRAWDOWN', '12'],
  ]) {
    const [shown] = eliminationRows([{ ...entry, reason, dd }] as unknown as (typeof entry)[]);
    t.equal(shown?.drawdown, null, `${String(reason)}: ${String(dd)} is no drawdown in percent`);
  }
  t.end();
});

function streamed(sequence: number) {
  return { sequence, timestamp: 1000, data: { position: position(sequence, null, 1) } };
}

await t.test('the tape is newest first, holds each order once and ends somewhere', (t) => {
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => tapeRow(streamed(from + index), 7)).filter(
      (row) => row !== null,
    );
  const live = addToTape([], rows(5, 6));
  const all = addToTape(live, rows(3, 5));
  t.same(
    all.map(({ sequence }) => sequence),
    [6, 5, 4, 3],
  );
  t.equal(addToTape(all, rows(3, 6)), all, 'nothing new: the same tape');
  const twice = addToTape([], [...rows(8, 9), ...rows(7, 8)]);
  t.same(
    twice.map(({ sequence }) => sequence),
    [9, 8, 7],
  );
  const long = addToTape(all, rows(7, TAPE_LENGTH + 50));
  t.equal(long.length, TAPE_LENGTH);
  t.equal(long[0]?.sequence, TAPE_LENGTH + 50);
  t.end();
});

await t.test('the lag is of live orders alone', (t) => {
  const rows = [3, 9, null, 4]
    .map((lagMs, index) => tapeRow(streamed(index + 1), lagMs))
    .filter((row) => row !== null);
  t.same(lagSummary(rows), { median: 4, highest: 9, count: 3 });
  t.equal(lagSummary([]), null);
  t.end();
});

await t.test('a place survives its way through the address', (t) => {
  for (const view of VIEWS) t.same(readPlace(placeLink(view)), { view, hotkey: null });
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (hotkey) => {
      t.same(readPlace(placeLink('miners', hotkey)), { view: 'miners', hotkey });
    }),
    { numRuns: 30 },
  );
  t.same(readPlace('#/nonsense'), { view: 'live', hotkey: null });
  t.same(readPlace('#/miners/%E0'), { view: 'miners', hotkey: null });
  t.end();
});

await t.test('the REST API is above the page, also under a path of a proxy', (t) => {
  t.equal(restUrl('http://192.0.2.1:48888/dashboard/#/miners'), 'http://192.0.2.1:48888');
  t.equal(restUrl('https://ptn.example.com/api/dashboard/?x=1'), 'https://ptn.example.com/api');
  t.end();
});

await t.test('a refusal is reported by what the server says, and by whether the key was good before', (t) => {
  t.equal(refusalKind({ status: 401, code: 'PTN_ERR_AUTH_UNAUTHORIZED' }), 'unknown-key');
  t.equal(refusalKind({ closeCode: null, code: null, isTerminal: true }), 'unknown-key');
  t.equal(refusalKind({ closeCode: 4504, code: null, isTerminal: true }), 'too-many-connections');
  t.equal(refusalKind({ closeCode: 1006, code: null, isTerminal: false }), null);
  t.equal(refusalKind({ status: 403, code: null }), 'low-tier');
  t.equal(refusalKind({ closeCode: null, code: 'INSUFFICIENT_TIER' }), 'low-tier');
  t.equal(refusalKind({ closeCode: null, code: 'MAX_CONNECTIONS_EXCEEDED' }), 'too-many-connections');
  t.equal(refusalKind({ closeCode: 4502, code: null, isTerminal: true }), 'low-tier');
  t.equal(refusalKind({ status: 503, code: null }), null);
  t.match(refusalText('unknown-key', false), 'does not know');
  t.match(refusalText('unknown-key', true), 'no longer valid');
  t.match(refusalText('low-tier', false), 'of a lower tier');
  t.match(refusalText('low-tier', true), 'was lowered');
  t.match(refusalText('too-many-connections', true), 'Too many connections');
  t.end();
});

await t.test('the stream is on the port of the page’s host, unless the server names another address', (t) => {
  const page = { protocol: 'http:', hostname: '192.0.2.1' };
  t.equal(streamUrl({ wsPort: 8765 }, page), 'ws://192.0.2.1:8765/');
  t.equal(streamUrl({ wsPort: 8765 }, { ...page, protocol: 'https:' }), 'wss://192.0.2.1:8765/');
  t.equal(
    streamUrl({ wsPort: 8765, wsUrl: 'wss://ptn.example.com/stream' }, page),
    'wss://ptn.example.com/stream',
  );
  t.end();
});
