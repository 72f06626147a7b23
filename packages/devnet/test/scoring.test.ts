import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readCheckpointFile, readValidatorFolder, scoreSource } from '@ptn-api/devnet';
import type { ClosePrices } from '@ptn-api/devnet';
import t from 'tap';
import { LIVE_GENERATIONS } from '../dist/scoring/live-generations.js';
import {
  DAY_MS,
  finish,
  HOUR_MS,
  MINUTE_MS,
  pricesWith,
  QUICK,
  read,
  START_MS,
  trade,
  world,
} from './scoring-world.ts';

void t.test('newcomers are admitted, promoted and weighed, and those who run out of time are out', (t) => {
  const own = world(t);
  const { validator, scoring, folder } = own;
  let nowMs = trade(own, 3);
  t.equal(scoring.challenge.get('long')?.bucket, 'MAINCOMP');
  t.equal(scoring.challenge.get('idle')?.bucket, 'CHALLENGE', 'without a closed position nothing is decided');
  nowMs += 2 * DAY_MS;
  own.tick(nowMs);
  t.match(
    [...validator.eliminated.values()],
    [{ hotkey: 'idle', reason: 'FAILED_CHALLENGE_PERIOD_TIME', dd: -1 }],
  );
  t.notOk(scoring.challenge.has('idle'));
  const checkpoint = readFileSync(join(folder.root, 'runnable/validator_checkpoint.json'), 'utf8');
  t.match(checkpoint, `"dd": -1, "reason": "FAILED_CHALLENGE_PERIOD_TIME"`, 'as Python writes it');
  t.ok(validator.positionsOf('idle').every((position) => position.is_closed_position));
  const { testing, success } = read(folder, 'validation/challengeperiod.json');
  t.strictSame(testing, {});
  t.match(success, { long: Number, short: Number });
  const { weights, set_time_ms: setMs } = read(folder, 'validation/weights.json');
  t.equal(setMs, nowMs);
  t.strictSame(Object.entries(weights as object), scoring.weights);
  t.ok(Math.abs(scoring.weights.reduce((sum, [, weight]) => sum + weight, 0) - 1) < 1e-12);
  t.end();
});

void t.test('scoring the folder gives what the validator set, and so does its checkpoint', (t) => {
  const own = world(t);
  const nowMs = trade(own, 4);
  const { scoring, folder } = own;
  for (const source of [
    readValidatorFolder(folder.root),
    readCheckpointFile(join(folder.root, 'runnable/validator_checkpoint.json')),
  ]) {
    const report = scoreSource(source, nowMs, QUICK);
    t.strictSame(
      report.miners.filter(({ rank }) => rank !== undefined).map(({ hotkey, weight }) => [hotkey, weight]),
      scoring.weights,
    );
    t.strictSame(
      report.miners.map(({ hotkey, bucket }) => [hotkey, bucket]).sort(),
      [...scoring.challenge].map(([hotkey, { bucket }]) => [hotkey, bucket]).sort(),
    );
  }
  t.end();
});

void t.test('statistics have the weights, the plagiarism scores and the ledgers', (t) => {
  const own = world(t);
  const nowMs = trade(own, 3);
  const file = read(own.folder, 'runnable/minerstatistics.json');
  t.match(file, { version: '6.0.0', created_timestamp_ms: nowMs, created_date: '2025-05-08 00:00:00' });
  const data = file['data'] as Record<string, unknown>[];
  t.strictSame(
    data.map(({ hotkey, weight }) => [hotkey, (weight as { value: number }).value]),
    own.scoring.weights,
  );
  t.ok(data.every(({ plagiarism }) => typeof plagiarism === 'number'));
  t.ok(data.every(({ checkpoints }) => (checkpoints as unknown[]).length >= 5));
  const report = read(own.folder, 'validation/plagiarism/miners/long.json');
  t.match(report, { event_id: /^uuid-/, time: nowMs, plagiarist: 'long', overall_score: Number });
  t.end();
});

void t.test('a fall beyond the limit is seen at once, without waiting for the ledger', (t) => {
  const sinceMs = START_MS + 3 * DAY_MS + 7 * MINUTE_MS;
  const own = world(t, pricesWith({ sinceMs, share: 0.4 }));
  const { validator, scoring } = own;
  let nowMs = trade(own, 3);
  validator.order('long', 'falls', nowMs, 0.5, 100);
  own.tick(nowMs + 6 * MINUTE_MS);
  t.equal(validator.eliminated.size, 0);
  nowMs = sinceMs + 5000;
  scoring.watchDrawdowns(nowMs);
  t.match(
    [...validator.eliminated.values()],
    [{ hotkey: 'long', reason: 'MAX_TOTAL_DRAWDOWN', elimination_initiated_time_ms: nowMs }],
  );
  t.ok(validator.positionsOf('long').every((position) => position.is_closed_position));
  own.tick(nowMs + 15 * MINUTE_MS);
  t.notOk(scoring.challenge.has('long'));
  t.notOk(scoring.weights.some(([hotkey]) => hotkey === 'long'));
  t.end();
});

void t.test(
  'a fall that the ledger does not confirm eliminates nobody, and leaves the ledger as it was',
  (t) => {
    // Candles of minutes say otherwise than those of seconds, which the ledger is walked in.
    const usual = pricesWith();
    const prices: ClosePrices = {
      closeAt: (pair, timeMs, resolution) =>
        timeMs < START_MS + 3 * DAY_MS || resolution === 'minute' ? usual.closeAt(pair, timeMs) : undefined,
    };
    const wrong: ClosePrices = {
      closeAt: (pair, timeMs, resolution) =>
        resolution === 'minute' && timeMs >= START_MS + 3 * DAY_MS + 20 * MINUTE_MS
          ? 10
          : prices.closeAt(pair, timeMs, resolution),
    };
    const own = world(t, wrong);
    const nowMs = trade(own, 3);
    own.validator.order('long', 'stays', nowMs, 0.5, 103.6);
    own.tick(nowMs + 25 * MINUTE_MS);
    const before = read(own.folder, 'validation/perf_ledgers.json');
    own.scoring.watchDrawdowns(nowMs + 25 * MINUTE_MS + 5000);
    t.equal(own.validator.eliminated.size, 0);
    finish(own.scoring.writeLedgers());
    t.ok(isDeepStrictEqual(read(own.folder, 'validation/perf_ledgers.json'), before));
    t.end();
  },
);

void t.test('a portfolio that loses everything is liquidated, and its row is kept', (t) => {
  const sinceMs = START_MS + 3 * DAY_MS + 20 * MINUTE_MS;
  const own = world(t, pricesWith({ sinceMs, share: 0.999 }));
  const nowMs = trade(own, 3);
  for (const name of ['a', 'b', 'c']) own.validator.order('long', name, nowMs, 1.2, 103.6);
  finish(own.scoring.updateLedgers(nowMs + HOUR_MS));
  const { eliminations } = {
    eliminations: JSON.parse(
      readFileSync(join(own.folder.root, 'validation/perf_ledger_eliminations.json'), 'utf8'),
    ) as unknown,
  };
  t.match(eliminations, [{ hotkey: 'long', reason: 'LIQUIDATED', dd: 0, price_info: { BTCUSD: Number } }]);
  const again = own.restarted();
  again.scoring.refreshChallenge(nowMs + HOUR_MS);
  t.match(
    [...own.validator.eliminated.values()],
    [{ hotkey: 'long', reason: 'LIQUIDATED' }],
    'also by the next run',
  );
  t.end();
});

void t.test('a miner that left the metagraph is a zombie, and its row goes after two days', (t) => {
  const own = world(t);
  const { validator, scoring } = own;
  const nowMs = trade(own, 3);
  validator.registered.delete('short');
  own.tick(nowMs + MINUTE_MS);
  t.match(validator.eliminated.get('short'), { reason: 'ZOMBIE', dd: null });
  t.notOk(scoring.challenge.has('short'));
  own.tick(nowMs + DAY_MS);
  t.ok(validator.eliminated.has('short'));
  own.tick(nowMs + 2 * DAY_MS + MINUTE_MS);
  t.notOk(validator.eliminated.has('short'));
  t.end();
});

void t.test('a challenge period that cannot be written is written when the disk allows it', (t) => {
  const own = world(t);
  const { folder, scoring } = own;
  const nowMs = trade(own, 1);
  const path = 'validation/challengeperiod.json';
  own.validator.order('late', 'only', nowMs, 0.1, 100);
  folder.failing = path;
  t.throws(
    () => {
      scoring.refreshChallenge(nowMs);
    },
    { code: 'ENOSPC' },
  );
  t.notMatch(read(folder, path), { testing: { late: Number } });
  folder.failing = undefined;
  scoring.refreshChallenge(nowMs + MINUTE_MS);
  t.match(read(folder, path), { testing: { late: Number } });
  t.end();
});

for (const [name, generation] of LIVE_GENERATIONS) {
  void t.test(`all files of ${name} can be written, and its statistics have its penalties`, (t) => {
    const quick = { ...generation, minimumDays: QUICK.minimumDays, challenge: QUICK.challenge };
    const own = world(t, pricesWith(), quick);
    trade(own, 3);
    const { data } = read(own.folder, 'runnable/minerstatistics.json') as {
      data: { penalties: Record<string, number> }[];
    };
    t.equal(data.length, 3);
    const penalties = [...generation.penalties.map((penalty) => penalty.name), 'total'];
    for (const miner of data) t.strictSame(Object.keys(miner.penalties), penalties);
    t.end();
  });
}
