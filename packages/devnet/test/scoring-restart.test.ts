import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DamagedFileError } from '@ptn-api/devnet';
import type { PerfLedger } from '@ptn-api/scoring';
import t from 'tap';
import { DAY_MS, HOUR_MS, read, START_MS, trade, world } from './scoring-world.ts';

void t.test('a restart goes on where it was', (t) => {
  const [own, other] = [world(t), world(t)];
  trade(own, 3);
  trade(other, 3);
  const again = own.restarted();
  t.strictSame(again.scoring.weights, own.scoring.weights);
  t.strictSame([...again.scoring.challenge.keys()].sort(), [...own.scoring.challenge.keys()].sort());
  const nowMs = START_MS + 3 * DAY_MS + 6 * HOUR_MS;
  again.tick(nowMs);
  other.tick(nowMs);
  for (const path of [
    'validation/perf_ledgers.json',
    'validation/challengeperiod.json',
    'validation/weights.json',
  ]) {
    t.ok(isDeepStrictEqual(read(again.folder, path), read(other.folder, path)), path);
  }
  t.strictSame(again.lines, []);
  t.end();
});

void t.test('ledgers, weights and reports that are damaged are made anew', (t) => {
  const own = world(t);
  const nowMs = trade(own, 3);
  const { folder } = own;
  const before = read(folder, 'validation/perf_ledgers.json');
  for (const [path, text, line] of [
    [
      'validation/perf_ledgers.json',
      '{"long": {"portfolio": {',
      'validation/perf_ledgers.json is not JSON: ',
    ],
    [
      'validation/weights.json',
      '{"weights": {"long": "1"}}',
      'validation/weights.json has a weight that is no number: it is made anew',
    ],
    [
      'validation/perf_ledger_eliminations.json',
      '{}',
      'validation/perf_ledger_eliminations.json has no list of eliminations: it is made anew',
    ],
    [
      'validation/plagiarism/miners/long.json',
      '[]',
      'validation/plagiarism/miners/long.json is not a report: it counts when it is written next',
    ],
  ] as const) {
    writeFileSync(join(folder.root, path), text);
    const again = own.restarted();
    t.match(again.lines.find((one) => one.startsWith(path)) ?? '', line, path);
    again.tick(nowMs);
  }
  const worth = (file: Record<string, unknown>): number[] =>
    Object.values(file as Record<string, { portfolio: PerfLedger }>).map(
      ({ portfolio }) => portfolio.cps.at(-1)?.prev_portfolio_ret ?? NaN,
    );
  const rebuilt = worth(read(folder, 'validation/perf_ledgers.json'));
  t.equal(rebuilt.length, 3);
  t.ok(worth(before).every((value, index) => Math.abs(value - (rebuilt[index] ?? NaN)) < 1e-9));
  const nan = JSON.stringify(before).replace(/"gain":[-\d.e]+/, '"gain":NaN');
  writeFileSync(join(folder.root, 'validation/perf_ledgers.json'), nan);
  const again = own.restarted();
  t.match(again.lines, [
    / gain that is not a finite number .*; it is left out$/,
    'validation/perf_ledgers.json: all ledgers are built anew',
  ]);
  t.end();
});

void t.test('who was promoted cannot be made anew: a damaged challenge period stops the start', (t) => {
  const own = world(t);
  trade(own, 1);
  writeFileSync(join(own.folder.root, 'validation/challengeperiod.json'), '{"testing": [');
  t.throws(() => own.restarted(), DamagedFileError);
  t.throws(
    () => own.restarted(),
    /^validation\/challengeperiod.json is not JSON: .*: put a copy in its place, or delete it/,
  );
  t.end();
});

void t.test('a folder of reports that cannot be read stops the start', (t) => {
  const own = world(t);
  trade(own, 1);
  const folder = join(own.folder.root, 'validation/plagiarism/miners');
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  t.throws(() => own.restarted(), { code: 'ENOTDIR' });
  rmSync(folder);
  mkdirSync(folder);
  t.ok(own.restarted());
  t.end();
});
