import {
  cumulativeDebt,
  debtWeights,
  drawdownElimination2024,
  dynamicMinimum,
  minerStatistics,
  monthlyDebt,
  round2024,
  scoreRound,
  SCORING_GENERATIONS,
} from '@ptn-api/scoring';
import type { Bucket, DebtCheckpoint } from '@ptn-api/scoring';
import t from 'tap';
import { DAY_MS, minerOf, NOW_MS, randomMiners } from './sample-miners.ts';

const JANUARY_MS = Date.UTC(2026, 0, 10);

function checkpoint(changes: Partial<DebtCheckpoint>): DebtCheckpoint {
  return {
    timestamp_ms: Date.UTC(2025, 11, 20),
    chunk_emissions_usd: 0,
    total_penalty: 1,
    challenge_period_status: 'MAINCOMP',
    ...changes,
  };
}

const miner = (hotkey: string, bucket: Bucket, debt: readonly DebtCheckpoint[], accountSize = 200_000) => ({
  ...{ hotkey, bucket, debt, accountSize },
});

void t.test(
  'the worst quarter of the newcomers gets nothing, at most ten, those without an account first',
  (t) => {
    const newcomers = (count: number, withoutAccount: number) =>
      Array.from({ length: count }, (_, index) =>
        miner(
          `m${index}`,
          'CHALLENGE',
          [checkpoint({ pnl_gain: index + 1, challenge_period_status: 'CHALLENGE' })],
          index >= count - withoutAccount ? 0 : 1,
        ),
      );
    const unpaid = (count: number, withoutAccount: number): string[] =>
      debtWeights(newcomers(count, withoutAccount), monthlyDebt, JANUARY_MS, { burnHotkey: 'burn' })
        .filter(([, weight]) => weight === 0)
        .map(([hotkey]) => hotkey)
        .sort();
    t.strictSame(unpaid(8, 0), ['m0', 'm1']);
    t.strictSame(unpaid(8, 1), ['m0', 'm7']);
    t.strictSame(unpaid(8, 3), ['m5', 'm6', 'm7']);
    t.equal(unpaid(100, 0).length, 10);
    t.end();
  },
);

void t.test('what is left of 1 is burned, and more than 1 is divided', (t) => {
  const owed = miner('owed', 'MAINCOMP', [checkpoint({ pnl_gain: 0.25 })]);
  const weights = debtWeights([owed], monthlyDebt, JANUARY_MS, { burnHotkey: 'burn' });
  t.strictSame(weights, [
    ['burn', 0.75],
    ['owed', 0.25],
  ]);
  const rich = miner('rich', 'MAINCOMP', [checkpoint({ pnl_gain: 3, pnl_loss: -1 })]);
  const paid = miner('paid', 'MAINCOMP', [
    checkpoint({ pnl_gain: 3 }),
    checkpoint({ timestamp_ms: Date.UTC(2026, 0, 2), chunk_emissions_usd: 1 }),
  ]);
  t.strictSame(debtWeights([rich, paid], monthlyDebt, JANUARY_MS, { burnHotkey: 'burn' }), [
    ['rich', 0.5],
    ['paid', 0.5],
  ]);
  t.end();
});

void t.test(
  'without a projection nothing but dust is set before the 25th, and without debt nothing is divided after it',
  (t) => {
    const owed = miner('owed', 'MAINCOMP', [checkpoint({ realized_pnl: 100 })]);
    const [[, burned] = ['', 0]] = debtWeights([owed], cumulativeDebt, JANUARY_MS, { burnHotkey: 'burn' });
    t.ok(burned > 0.9999);
    const nothing = miner('nothing', 'MAINCOMP', []);
    const after = debtWeights([nothing], cumulativeDebt, Date.UTC(2026, 0, 28), { burnHotkey: 'burn' });
    t.equal(after.find(([hotkey]) => hotkey === 'nothing')?.[1], 4.5e-5);
    t.end();
  },
);

void t.test('a round pays by debt where emissions are known, and sets no weights where they are not', (t) => {
  const generation = SCORING_GENERATIONS['2025-12'];
  const miners = randomMiners(3, 8);
  const state = new Map(miners.map(({ hotkey }) => [hotkey, { bucket: 'MAINCOMP' as const, startMs: 0 }]));
  const input = { nowMs: NOW_MS, generation, miners, state, eliminations: [] };
  t.strictSame(scoreRound(input).weights, []);
  const { weights } = scoreRound({ ...input, emissions: { burnHotkey: 'burn', projectedDailyUsd: 1000 } });
  t.equal(weights[0]?.[0], 'burn');
  t.ok(Math.abs(weights.reduce((sum, [, weight]) => sum + weight, 0) - 1) < 1e-12);
  t.end();
});

void t.test('the dynamic minimum of days is 7 to 60', (t) => {
  t.equal(dynamicMinimum(Array<number>(19).fill(90)), 7);
  t.equal(dynamicMinimum(Array<number>(20).fill(90)), 60);
  t.equal(dynamicMinimum([...Array<number>(20).fill(3), 0, 0]), 7);
  t.equal(dynamicMinimum(Array.from({ length: 40 }, (_, day) => day + 1)), 20, 'the median of 40 is 20.5');
  t.end();
});

void t.test('the challenge of summer 2025 asks for more and more days', (t) => {
  const { minimumDays } = SCORING_GENERATIONS['2025-06'].challenge;
  const from = Date.UTC(2025, 5, 6);
  t.strictSame(
    [-DAY_MS, 0, 14 * DAY_MS, 400 * DAY_MS].map((after) => minimumDays(from + after)),
    [60, 60, 67, 120],
  );
  t.end();
});

void t.test('a round of 2024 pays by places, the challenge next to nothing, the failed nothing', (t) => {
  const hour = 3_600_000;
  const cells = (loss: number) =>
    Array.from({ length: 60 }, (_, index) => ({
      last_update_ms: NOW_MS - index * 6 * hour,
      open_ms: 6 * hour,
      gain: 0.01,
      loss,
    }));
  const positions = (first: number) =>
    Array.from({ length: 12 }, (_, index) => {
      const openMs = NOW_MS - first * DAY_MS + index * 12 * hour;
      return {
        open_ms: openMs,
        close_ms: openMs + 6 * hour,
        is_closed_position: true,
        return_at_close: 1.003,
      };
    });
  const miners = [
    { hotkey: 'best', cells: cells(-0.001), positions: positions(40) },
    { hotkey: 'second', cells: cells(-0.02), positions: positions(40) },
    { hotkey: 'running', cells: [], positions: positions(20).slice(0, 3) },
    { hotkey: 'failed', cells: [], positions: [] },
  ];
  const { weights, challenge } = round2024(miners, NOW_MS);
  t.strictSame(
    weights.map(([hotkey]) => hotkey),
    ['best', 'second', 'running', 'failed'],
  );
  t.ok(Math.abs((weights[0]?.[1] ?? 0) + (weights[1]?.[1] ?? 0) - 1) < 1e-12);
  t.strictSame(
    weights.slice(2).map(([, weight]) => weight),
    [5.4e-6, 0],
  );
  t.equal(challenge.get('best'), 'passed');
  t.strictSame(round2024([], NOW_MS).weights, []);
  t.end();
});

void t.test('eliminations of 2024: 10 % at any time, 5 % around midnight', (t) => {
  const reason = (worth: number, timeMs: number) => drawdownElimination2024('hk', worth, 1, timeMs)?.reason;
  t.equal(reason(0.89, NOW_MS + 3_600_000), 'MAX_TOTAL_DRAWDOWN');
  t.equal(reason(0.94, NOW_MS + 60_000), 'MAX_DAILY_DRAWDOWN');
  t.equal(reason(0.94, NOW_MS + 600_000), undefined);
  t.equal(reason(0.95, NOW_MS), undefined);
  t.end();
});

void t.test('statistics leave out what is asked not to be there, and miners without a weight', (t) => {
  const generation = SCORING_GENERATIONS['2025-05'];
  const miners = [...randomMiners(2, 3), minerOf('unweighed', [0.01])];
  const state = new Map(miners.map(({ hotkey }) => [hotkey, { bucket: 'MAINCOMP' as const, startMs: 0 }]));
  const weights = miners.slice(0, 2).map(({ hotkey }): [string, number] => [hotkey, 0.5]);
  const common = {
    nowMs: NOW_MS,
    generation,
    version: '6.0.0',
    state,
    miners,
    plagiarism: new Map<string, number>(),
  };
  const file = minerStatistics({ ...common, weights: [...weights, ['stranger', 0]], withCheckpoints: false });
  t.strictSame(
    file.data.map(({ hotkey }) => hotkey),
    miners.slice(0, 2).map(({ hotkey }) => hotkey),
  );
  t.notOk(file.data.some((row) => 'checkpoints' in row || 'risk_profile_report' in row));
  t.strictSame(
    file.data.map(({ weight }) => weight.rank),
    [1, 2],
  );
  t.equal(file.data[0]?.weight.percentile, file.data[1]?.weight.percentile, 'equal ones alike');
  t.equal(file.created_date, '2025-05-01 00:00:00');
  t.end();
});
