import {
  CHECKPOINT_DEFAULTS,
  minerRecord,
  PORTFOLIO,
  scoreMiners,
  scoreRound,
  SCORING_GENERATIONS,
} from '@ptn-api/scoring';
import type { BucketEntry, MinerRecord, RoundInput } from '@ptn-api/scoring';
import fc from 'fast-check';
import t from 'tap';
import { DAY_MS, ledgerOf, minerOf, NOW_MS, randomMiners } from './sample-miners.ts';

const generation = SCORING_GENERATIONS['2025-05'];

function roundOf(
  main: readonly MinerRecord[],
  testing: readonly MinerRecord[] = [],
  more: Partial<RoundInput> = {},
) {
  const state = new Map<string, BucketEntry>([
    ...main.map(({ hotkey }): [string, BucketEntry] => [hotkey, { bucket: 'MAINCOMP', startMs: NOW_MS }]),
    ...testing.map(({ hotkey }): [string, BucketEntry] => [
      hotkey,
      { bucket: 'CHALLENGE', startMs: NOW_MS - 70 * DAY_MS },
    ]),
  ]);
  return scoreRound({
    nowMs: NOW_MS,
    generation,
    miners: [...main, ...testing],
    state,
    eliminations: [],
    ...more,
  });
}

const sumOf = (weights: readonly (readonly [string, number])[]): number =>
  weights.reduce((sum, [, weight]) => sum + weight, 0);

void t.test('weights of the main competition add up to 1, whoever takes part', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1e6 }), (count, seed) => {
      const { main } = roundOf(randomMiners(count, seed, 1 + (seed % 90)));
      return Math.abs(sumOf(main.final) - 1) < 1e-12 && main.final.length === count;
    }),
    { numRuns: 60 },
  );
  t.end();
});

void t.test('scores depend neither on the order nor on the names of the miners', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 1, max: 1e6 }), (count, seed) => {
      const miners = randomMiners(count, seed);
      const renamed = [...miners].reverse().map((miner) => ({ ...miner, hotkey: `x${miner.hotkey}` }));
      const options = { nowMs: NOW_MS, isWeighted: true };
      const scores = new Map(scoreMiners(miners, generation, options).final);
      return scoreMiners(renamed, generation, options).final.every(
        ([hotkey, score]) => Math.abs(score - (scores.get(hotkey.slice(1)) ?? NaN)) < 1e-12,
      );
    }),
    { numRuns: 40 },
  );
  t.end();
});

void t.test('a miner alone gets everything, none nothing, one that fell too far 0', (t) => {
  t.strictSame(roundOf([]).weights, []);
  t.strictSame(roundOf([minerOf('a', [0.01])]).weights, [['a', 1]]);
  const { main, eliminations } = roundOf([
    ...randomMiners(3, 5),
    minerOf('fallen', Array<number>(70).fill(0.01), 0.89),
  ]);
  t.strictSame(main.final.at(-1), ['fallen', 0]);
  t.match(eliminations, [{ hotkey: 'fallen', reason: 'MAX_TOTAL_DRAWDOWN', dd: 11 }]);
  t.end();
});

void t.test('without a main competition nothing is set for newcomers either', (t) => {
  t.strictSame(roundOf([], randomMiners(3, 1)).weights, []);
  t.end();
});

void t.test(
  'a ledger with NaN, infinity or gaps spoils percentiles as IEEE does, and throws nothing',
  (t) => {
    const broken = [NaN, Infinity, -Infinity].map((gain) => {
      const ledger = ledgerOf(Array<number>(70).fill(0.001));
      const cps = ledger.cps.map((cell, index) => (index === 9 ? { ...cell, gain } : cell));
      return minerRecord({
        hotkey: String(gain),
        ledgers: new Map([[PORTFOLIO, { ...ledger, cps }]]),
        positions: [],
      });
    });
    const { segments } = scoreMiners([...randomMiners(3, 2), ...broken], generation, {
      nowMs: NOW_MS,
      isWeighted: true,
    });
    t.ok(segments[0]?.metrics.every(({ scores }) => scores.size === 6));
    t.ok([...(segments[0]?.combined.values() ?? [])].every(Number.isNaN));
    const empty = minerRecord({ hotkey: 'empty', ledgers: undefined, positions: [] });
    const gaps = ledgerOf(Array<number>(70).fill(0.001));
    const half = { ...gaps, cps: gaps.cps.filter((_, index) => index % 4 !== 0) };
    const holed = minerRecord({ hotkey: 'holed', ledgers: new Map([[PORTFOLIO, half]]), positions: [] });
    const scored = scoreMiners([...randomMiners(2, 3), empty, holed], generation, {
      nowMs: NOW_MS,
      isWeighted: true,
    });
    t.equal(scored.penalties.get('empty')?.total, 0);
    t.equal(scored.segments[0]?.metrics[1]?.scores.get('holed'), -100, 'half of its days do not count');
    t.end();
  },
);

void t.test('nobody is in the metagraph: no weights, zombies', (t) => {
  const round = roundOf(randomMiners(2, 4), [], { metagraph: new Set() });
  t.strictSame(round.weights, []);
  t.strictSame(
    round.eliminations.map(({ reason, dd }) => [reason, dd]),
    [
      ['ZOMBIE', null],
      ['ZOMBIE', null],
    ],
  );
  t.equal(round.stateAfter.size, 0);
  t.end();
});

void t.test('an eliminated miner takes no part, and gets no second row', (t) => {
  const [first, ...others] = randomMiners(4, 6);
  const hotkey = first?.hotkey ?? '';
  const row = { hotkey, elimination_initiated_time_ms: 1, dd: 0, reason: 'LIQUIDATED' } as const;
  const round = roundOf([...(first === undefined ? [] : [first]), ...others], [], { eliminations: [row] });
  t.notOk(round.stateBefore.has(hotkey));
  t.equal(round.weights.length, 3);
  t.strictSame(round.eliminations, []);
  const now = roundOf(others, [], { liquidations: [row] });
  t.strictSame(now.eliminations, [row]);
  t.end();
});

void t.test('cells of every member are used in what a segment of the later generations scores', (t) => {
  const cells = (pair: string, pnl: number): MinerRecord['ledgers'] => {
    const ledger = ledgerOf(Array<number>(70).fill(0.001));
    const cps = ledger.cps.map((cell) => ({ ...CHECKPOINT_DEFAULTS, ...cell, pnl_gain: pnl }));
    return new Map([
      [PORTFOLIO, { ...ledger, cps }],
      [pair, { ...ledger, cps }],
    ]);
  };
  const miners = ['BTCUSD', 'EURUSD'].map((pair, index) =>
    minerRecord({ hotkey: pair, ledgers: cells(pair, 10 + index), positions: [], accountSize: 200_000 }),
  );
  const scored = scoreMiners(miners, SCORING_GENERATIONS['2025-12'], { nowMs: NOW_MS, isWeighted: true });
  const best = scored.segments.map(({ segment, shares }) => [segment.name, [...shares.keys()][0]]);
  t.strictSame(best, [
    ['crypto', 'BTCUSD'],
    ['forex', 'EURUSD'],
  ]);
  t.end();
});
