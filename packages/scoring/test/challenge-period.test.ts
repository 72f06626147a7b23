import {
  admitMiners,
  applyInspection,
  challengeBuckets,
  challengeMaps,
  closeByElimination,
  explainMiner,
  explanationLines,
  keptEliminations,
  minerRecord,
  PORTFOLIO,
  readChallengeFile,
  scoreRound,
  SCORING_GENERATIONS,
} from '@ptn-api/scoring';
import type { Bucket, BucketEntry, MinerRecord, Round, RoundInput } from '@ptn-api/scoring';
import t from 'tap';
import {
  closedPosition,
  DAY_MS,
  ledgerOf,
  minerOf,
  NOW_MS,
  orderOf,
  positionOf,
  randomMiners,
} from './sample-miners.ts';

const GOOD = Array.from({ length: 70 }, (_, day) => (day % 5 === 0 ? -0.001 : 0.004));

function entry(bucket: Bucket, daysAgo: number, more: Partial<BucketEntry> = {}): BucketEntry {
  return { bucket, startMs: NOW_MS - daysAgo * DAY_MS, ...more };
}

function round(
  generation: RoundInput['generation'],
  miners: readonly (readonly [MinerRecord, BucketEntry])[],
  more: Partial<RoundInput> = {},
): Round {
  return scoreRound({
    nowMs: NOW_MS,
    generation,
    miners: miners.map(([miner]) => miner),
    state: new Map(miners.map(([{ hotkey }, state]) => [hotkey, state])),
    eliminations: [],
    ...more,
  });
}

const spring = SCORING_GENERATIONS['2025-05'];
const members = randomMiners(8, 11).map((miner) => [miner, entry('MAINCOMP', 50)] as const);

void t.test(
  'a candidate is promoted, waits or fails, and its explanation says how far it is from each',
  (t) => {
    const good = minerOf('good', GOOD);
    const few = minerOf('few', GOOD.slice(20));
    const weak = minerOf(
      'weak',
      GOOD.map((value) => -value),
    );
    const fallen = minerOf('fallen', GOOD, 0.85);
    const result = round(spring, [
      ...members,
      [good, entry('CHALLENGE', 95)],
      [few, entry('CHALLENGE', 60)],
      [weak, entry('CHALLENGE', 91)],
      [fallen, entry('CHALLENGE', 60)],
    ]);
    t.strictSame(result.inspection.promoted, ['good'], 'even after its time');
    t.match(Object.fromEntries(result.inspection.failed), {
      weak: { reason: 'FAILED_CHALLENGE_PERIOD_TIME', dd: 3 },
      fallen: { reason: 'FAILED_CHALLENGE_PERIOD_DRAWDOWN', dd: 15 },
    });
    t.strictSame(result.stateAfter.get('good'), {
      ...entry('MAINCOMP', 0),
      previousBucket: 'CHALLENGE',
      previousStartMs: NOW_MS - 95 * DAY_MS,
    });
    t.ok(result.stateAfter.has('few'));
    t.notOk(result.stateAfter.has('weak'));
    const lines = (miner: MinerRecord): string => explanationLines(explainMiner(result, miner)).join('\n');
    t.match(lines(few), /trading days: 50 of 60, 10 missing/);
    t.match(lines(few), /30\.0 days are left/);
    t.match(lines(good), /reaches 0\.75/);
    t.match(lines(good), /promoted to the main competition/);
    t.match(lines(weak), /short of 0\.75/);
    t.match(lines(weak), /its time is over since 1\.0 days\n.*\n?eliminated: FAILED_CHALLENGE_PERIOD_TIME/);
    t.match(lines(fallen), /drawdown: 15 %, 0\.00 % left until elimination/);
    t.match(lines(members[0]?.[0] as MinerRecord), /place \d+\ncalmar: .*percentile .*counts 0\.2/);
    t.match(lines(minerOf('stranger', GOOD)), /^stranger: not in the competition, no weight/);
    t.end();
  },
);

void t.test('what cannot be judged is left as it is', (t) => {
  const noPositions = minerRecord({ ...minerOf('no-positions', GOOD), positions: [] });
  const older = { ...minerOf('older', GOOD), positions: [closedPosition(NOW_MS - DAY_MS)] };
  const noLedger = minerRecord({ hotkey: 'no-ledger', ledgers: undefined, positions: older.positions });
  const result = round(spring, [
    ...members,
    [noPositions, entry('CHALLENGE', 200)],
    [older, entry('CHALLENGE', 200)],
    [minerOf('unknown-start', GOOD), { bucket: 'CHALLENGE', startMs: null }],
    [noLedger, entry('CHALLENGE', 30)],
    [{ ...noLedger, hotkey: 'late' }, entry('CHALLENGE', 91)],
  ]);
  t.strictSame([...result.inspection.failed], [['late', { reason: 'FAILED_CHALLENGE_PERIOD_TIME', dd: -1 }]]);
  const reasons = ['no-positions', 'older', 'unknown-start', 'no-ledger'].map(
    (hotkey) => result.inspection.reports.get(hotkey)?.skipped,
  );
  t.strictSame(reasons, [
    'its ledger is older than its first order',
    'its ledger is older than its first order',
    'its start is not known',
    'it has no closed position of a minute, or no ledger',
  ]);
  t.match(explanationLines(explainMiner(result, older)).join(), /nothing is decided: its ledger is older/);
  t.end();
});

void t.test('the first candidate of an empty competition is the best of it', (t) => {
  const result = round(spring, [[minerOf('first', GOOD), entry('CHALLENGE', 70)]]);
  t.strictSame(result.inspection.promoted, ['first']);
  t.strictSame(result.weights, []);
  t.end();
});

void t.test('miners enter with their first order, and starts are set right once', (t) => {
  const miner = minerOf('new', GOOD);
  const startMs = NOW_MS - 70 * DAY_MS;
  const input = { nowMs: NOW_MS, miners: new Map([['new', miner]]), eliminated: new Set<string>() };
  const wrong = new Map([['new', entry('CHALLENGE', 1)]]);
  t.equal(admitMiners({ ...input, state: new Map() }).get('new')?.startMs, startMs);
  t.equal(admitMiners({ ...input, state: wrong }).get('new')?.startMs, NOW_MS - DAY_MS);
  t.equal(admitMiners({ ...input, state: wrong, isFirst: true }).get('new')?.startMs, startMs);
  t.equal(admitMiners({ ...input, state: new Map(), eliminated: new Set(['new']) }).size, 0);
  t.equal(admitMiners({ ...input, state: new Map(), metagraph: new Set() }).size, 0);
  t.end();
});

void t.test('by rank: the best of each class stay, others are on probation, whose time is limited', (t) => {
  const autumn = SCORING_GENERATIONS['2025-11'];
  const traders = Array.from({ length: 30 }, (_, index) => {
    const ledger = ledgerOf(GOOD);
    const cps = ledger.cps.map((cell) => ({ ...cell, pnl_gain: index + 1 }));
    const ledgers = new Map([PORTFOLIO, 'BTCUSD'].map((pair) => [pair, { ...ledger, cps }]));
    return minerRecord({ ...minerOf(`t${index}`, GOOD), ledgers, accountSize: 200_000 });
  });
  const buckets = traders.map((miner, index): readonly [MinerRecord, BucketEntry] => [
    miner,
    index < 20 ? entry('MAINCOMP', 80) : entry(index % 2 === 0 ? 'CHALLENGE' : 'PROBATION', 50),
  ]);
  const result = round(autumn, buckets);
  t.equal(result.inspection.promoted.length, 10);
  t.strictSame(result.inspection.demoted, ['t0', 't1', 't2', 't3', 't4']);
  t.equal(result.stateAfter.get('t0')?.bucket, 'PROBATION');
  t.match(result.inspection.reports.get('t20')?.segments, [{ name: 'crypto' }, { name: 'forex' }]);
  t.match(
    explanationLines(explainMiner(result, traders[20] as MinerRecord)).join('\n'),
    /score in crypto: .*begins at/,
  );
  t.match(explanationLines(explainMiner(result, traders[0] as MinerRecord)).join('\n'), /put on probation/);
  const late = round(autumn, [...buckets.slice(0, 29), [traders[29] as MinerRecord, entry('PROBATION', 61)]]);
  t.match(late.inspection.failed.get('t29'), { reason: 'FAILED_CHALLENGE_PERIOD_TIME', dd: -1 });
  const fallen = minerRecord({ ...minerOf('fallen', GOOD, 0.8), accountSize: 200_000 });
  const untried = minerRecord({ hotkey: 'untried', ledgers: undefined, positions: fallen.positions });
  const others = round(autumn, [
    ...buckets,
    [fallen, entry('CHALLENGE', 5)],
    [untried, entry('CHALLENGE', 5)],
  ]);
  t.match(others.inspection.failed.get('fallen'), { reason: 'FAILED_CHALLENGE_PERIOD_DRAWDOWN', dd: 20 });
  t.notOk(others.inspection.promoted.includes('untried'));
  t.end();
});

void t.test('suspects of copying go into their bucket, come back, or are out after 14 days', (t) => {
  const autumn = SCORING_GENERATIONS['2025-11'];
  const states: [string, BucketEntry][] = [
    ['suspected', entry('MAINCOMP', 9)],
    ['cleared', entry('PLAGIARISM', 3, { previousBucket: 'MAINCOMP', previousStartMs: 7 })],
    ['convicted', entry('PLAGIARISM', 14)],
    ['waiting', entry('PLAGIARISM', 13)],
  ];
  const rows = states.map(([hotkey, state]) => [minerOf(hotkey, GOOD), state] as const);
  const result = round(autumn, rows, { plagiarists: new Set(['suspected', 'convicted', 'waiting']) });
  t.match(Object.fromEntries(result.stateAfter), {
    suspected: { bucket: 'PLAGIARISM', startMs: NOW_MS, previousBucket: 'MAINCOMP' },
    cleared: { bucket: 'MAINCOMP', startMs: 7, previousBucket: 'PLAGIARISM' },
    waiting: { bucket: 'PLAGIARISM' },
  });
  t.match(explanationLines(explainMiner(result, minerOf('suspected', GOOD))).at(-1), 'moved to PLAGIARISM');
  t.strictSame(
    result.eliminations.map(({ hotkey, reason }) => [hotkey, reason]),
    [['convicted', 'PLAGIARISM']],
  );
  t.equal(round(autumn, rows).inspection.moved.size, 0, 'nobody is asked');
  t.end();
});

void t.test('both forms of the file are read and written', (t) => {
  const maps = { testing: { a: 1, b: null }, success: { c: 3 } };
  t.strictSame(challengeMaps(readChallengeFile(maps)), maps);
  t.strictSame([...readChallengeFile({ testing: {}, success: {} })], []);
  const buckets = {
    a: {
      bucket: 'PROBATION',
      bucket_start_time: 1,
      previous_bucket: 'MAINCOMP',
      previous_bucket_start_time: 0,
    },
    testing: {
      bucket: 'CHALLENGE',
      bucket_start_time: 1,
      previous_bucket: null,
      previous_bucket_start_time: null,
    },
  } as const;
  t.strictSame(challengeBuckets(readChallengeFile(buckets)), buckets);
  t.end();
});

void t.test('inspections without reports can be applied, too', (t) => {
  const state = new Map([['a', entry('CHALLENGE', 5)]]);
  const nothing = { promoted: [], demoted: [], moved: new Map(), failed: new Map() };
  t.strictSame(applyInspection(state, nothing, NOW_MS, new Set(['a'])), state);
  t.equal(applyInspection(state, nothing, NOW_MS, new Set()).size, 0);
  t.end();
});

void t.test('an elimination closes open positions after their last order', (t) => {
  const position = positionOf([orderOf({ processed_ms: 50, leverage: 0.2 })]);
  t.match(closeByElimination(position, 40), {
    close_ms: 51,
    orders: [{}, { leverage: -0.2, src: 1, order_uuid: 'noitisop' }],
  });
  t.match(closeByElimination(position, 60), { close_ms: 60, is_closed_position: true, net_leverage: 0 });
  const closed = closedPosition(50);
  t.equal(closeByElimination(closed, 60), closed);
  t.end();
});

void t.test('rows are kept for two days, and while the hotkey is registered', (t) => {
  const row = (hotkey: string, daysAgo: number) =>
    ({ hotkey, elimination_initiated_time_ms: NOW_MS - daysAgo * DAY_MS, dd: 0, reason: 'ZOMBIE' }) as const;
  const rows = [row('young', 1), row('old', 2), row('registered', 9)];
  const kept = keptEliminations(rows, NOW_MS, new Set(['registered'])).map(({ hotkey }) => hotkey);
  t.strictSame(kept, ['young', 'registered']);
  t.end();
});
