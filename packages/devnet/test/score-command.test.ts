import { gzipSync } from 'node:zlib';
import { minerRecord, PORTFOLIO, scoreRound, SCORING_GENERATIONS } from '@ptn-api/scoring';

import t from 'tap';
import { runCommand } from './devnet-process.ts';
import {
  AT_MS,
  checkpointOf,
  contentOf,
  hotkeyOf,
  ledgerOf,
  positionOf,
  sampleMiners,
  writeFolder,
} from './scored-folder.ts';
import { score } from './run-score.ts';
import type { FolderMiner } from './scored-folder.ts';

const miners = sampleMiners();

interface Report {
  at_ms: number;
  generation: string;
  no_weights: string | null;
  miners: {
    hotkey: string;
    bucket: string;
    rank: number | null;
    weight: number;
    promotion: Record<string, unknown> | null;
  }[];
  problems: string[];
}

void t.test('the command ends with the exit code, and what is wrong on stderr', async (t) => {
  const content = contentOf(miners);
  const root = writeFolder(t, { ...content, eliminations: undefined });
  for (const [args, code] of [
    [['--root', root.path], 3],
    [['--root', root.join('none')], 1],
    [['--root', root.path, '--explain', '5Nobody'], 2],
  ] as const) {
    const expected = score(args, 'no path');
    const { stdout, stderr, ...ended } = await runCommand(['score', ...args]);
    t.strictSame([ended.code, stdout, stderr], [code, expected.out, expected.err]);
  }
});

void t.test('weights are those of a round, from a folder as from a checkpoint', (t) => {
  const content = contentOf(miners);
  const root = writeFolder(t, content);
  const expected = scoreRound({
    nowMs: AT_MS,
    generation: SCORING_GENERATIONS['2025-05'],
    miners: miners.map((miner) =>
      minerRecord({
        hotkey: miner.hotkey,
        ledgers: new Map([[PORTFOLIO, ledgerOf(miner)]]),
        positions: [positionOf(miner)],
      }),
    ),
    state: new Map(
      ['testing', 'success'].flatMap((bucket) =>
        miners
          .filter((miner) => miner.bucket === bucket)
          .map(({ hotkey, days }) => [
            hotkey,
            {
              bucket: bucket === 'testing' ? 'CHALLENGE' : 'MAINCOMP',
              startMs: AT_MS - days.length * 86_400_000,
            },
          ]),
      ),
    ),
    eliminations: [],
  });
  t.equal(expected.weights.length, 12);
  const plain = score(['--root', root.path, '--json'], root.path);
  t.equal(plain.code, 0);
  t.equal(plain.err, '');
  const report = JSON.parse(plain.out) as Report;
  t.equal(report.at_ms, AT_MS, 'as of the end of the newest ledger');
  t.strictSame(
    report.miners.map(({ hotkey, weight }) => [hotkey, weight]),
    expected.weights.map(([hotkey, weight]) => [hotkey, weight]),
  );
  for (const [name, bytes] of Object.entries({
    'checkpoint.json': Buffer.from(JSON.stringify(checkpointOf(content))),
    'checkpoint.json.gz': gzipSync(JSON.stringify(checkpointOf(content))),
  })) {
    root.writeFile(name, bytes);
    const { code, out } = score(['--checkpoint', root.join(name), '--json'], root.path);
    t.equal(code, 0);
    t.strictSame((JSON.parse(out) as Report).miners, report.miners, name);
  }
  t.end();
});

void t.test('the table fits in 100 columns and says of each miner where it stands', (t) => {
  const root = writeFolder(t, contentOf(miners));
  const { code, out } = score(['--root', root.path], root.path);
  t.equal(code, 0);
  const lines = out.split('\n');
  t.ok(
    lines.every(({ length }) => length <= 100),
    Math.max(...lines.map(({ length }) => length)).toString(),
  );
  t.match(
    out,
    /^ROOT, 2025-05-01 00:00 UTC, generation 2025-05\n12 miners: 8 in the main competition, 4 on trial; 1 eliminated\n/,
  );
  for (const { hotkey } of miners) {
    const rows = lines.filter((line) => line.includes(`${hotkey.slice(0, 8)}…${hotkey.slice(-4)}`));
    t.equal(rows.length, 2, 'in the ranking and among the metrics');
  }
  t.end();
});

void t.test('one miner is explained by its hotkey or the beginning of it', (t) => {
  const root = writeFolder(t, contentOf(miners));
  const [candidate, member] = [hotkeyOf(2), hotkeyOf(0)];
  const full = score(['--root', root.path, '--explain', candidate], root.path);
  t.equal(full.code, 0);
  t.match(full.out, `${candidate}: CHALLENGE, weight`);
  t.match(
    full.out,
    /trading days: 70 of 60\npercentile in the main competition: .* 0\.75\n20\.0 days are left\n/,
  );
  const short = score(['--root', root.path, '--explain', candidate.slice(0, 5)], root.path);
  t.equal(short.out, full.out);
  const json = score(['--root', root.path, '--explain', member, '--json'], root.path);
  t.match(JSON.parse(json.out), { miners: [{ hotkey: member, bucket: 'MAINCOMP', promotion: null }] });
  for (const [wanted, message] of [
    ['5Nobody', 'no miner 5Nobody among the 12 that are scored'],
    ['5', '12 miners begin with 5: give more of the hotkey'],
    ['5Zgone', '5Zgone was eliminated at 2025-04-30T00:00:00.000Z: MAX_TOTAL_DRAWDOWN'],
  ] as const) {
    const { code, out, err } = score(['--root', root.path, '--explain', wanted], root.path);
    t.strictSame([code, out, err], [2, '', `ptn-devnet: ${message}\n`]);
  }
  t.end();
});

void t.test('a command line that cannot be obeyed', (t) => {
  for (const [args, err] of [
    [[], 'give either --root with a folder or --checkpoint with a file'],
    [['--root', 'a', '--checkpoint', 'b'], 'give either --root with a folder or --checkpoint with a file'],
    [['--root', 'a', '--root', 'b'], '--root is given more than once'],
    [['--root', ''], '--root is empty'],
    [['--root', 'a', '--at', 'now'], '--at needs a time in Unix ms'],
    [['--root', 'a', '--at', '1e30'], '--at needs a time in Unix ms'],
    [['--root', 'a', '--generation', '2031'], /Invalid values: Argument: generation/],
    [['--root', 'a', '--colour'], 'Unknown argument: colour'],
  ] as const) {
    const result = score(args, 'a folder that is not there');
    t.equal(result.code, 2, args.join(' '));
    t.match(result.err, err);
  }
  t.end();
});

/** The ledger of a miner as validators of autumn 2025 keep it. */
function withPnl(miner: FolderMiner): object {
  const { cps, ...ledger } = ledgerOf(miner);
  return {
    ...ledger,
    cps: cps.map((cell) => ({ ...cell, pnl_gain: 1000 * cell.gain, pnl_loss: 1000 * cell.loss })),
  };
}

void t.test('what the ledgers of a folder cannot tell is said, and not made up', (t) => {
  const content = contentOf(miners);
  const row = (bucket: string, days: number) => ({
    bucket,
    bucket_start_time: AT_MS - days * 86_400_000,
    previous_bucket: null,
    previous_bucket_start_time: null,
  });
  // One more is below the drawdown limit, and the time of another is over.
  const [fallen, late] = [hotkeyOf(0), hotkeyOf(2)];
  const challenge = Object.fromEntries(
    miners.map(({ hotkey, bucket }) => [
      hotkey,
      row(bucket === 'testing' ? 'CHALLENGE' : 'MAINCOMP', hotkey === late ? 95 : 80),
    ]),
  );
  const ledgerFor = (miner: FolderMiner): object =>
    withPnl(miner.hotkey === fallen ? { ...miner, mdd: 0.85 } : miner);
  const whole = Object.fromEntries(miners.map((miner) => [miner.hotkey, ledgerFor(miner)]));
  const withoutPnl = Object.fromEntries(
    miners.map((miner) => [
      miner.hotkey,
      { [PORTFOLIO]: ledgerOf(miner), BTCUSD: ledgerOf(miner), EURUSD: ledgerOf(miner) },
    ]),
  );
  for (const generation of ['2025-11', '2025-12']) {
    // As of 2026.
    const root = writeFolder(t, { ...content, challenge, ledgers: whole });
    const args = ['--generation', generation];
    const { code, out, err } = score(['--root', root.path, ...args], root.path);
    t.equal(code, 3);
    t.match(
      err,
      new RegExp(
        `^ptn-devnet: each miner has one ledger, of all pairs together, .* validators since 2026, whose own rules are not known here\\. ${generation} ranks crypto and forex apart: there are no metrics, and who is promoted or put on probation cannot be determined; .*\n$`,
      ),
    );
    t.match(
      out,
      `No weights: ${generation} pays what miners are owed, which depends on emissions of the live chain.`,
    );
    t.notMatch(out, /Metrics|probation|promoted|fulfilled/);
    t.match(out, `  ${fallen}: eliminated: MAX_TOTAL_DRAWDOWN`);
    t.match(out, `  ${late}: eliminated: FAILED_CHALLENGE_PERIOD_TIME`);
    t.match(out, / undecided\n/);
    const checkpoint = { ...content, challenge, ledgers: withoutPnl };
    root.writeFile('checkpoint.json', JSON.stringify(checkpointOf(checkpoint)));
    const ofCheckpoint = score(['--checkpoint', root.join('checkpoint.json'), ...args], root.path);
    t.equal(ofCheckpoint.code, 3);
    t.match(ofCheckpoint.err, 'each miner has one ledger');

    // As of December 2025.
    const divided = writeFolder(t, { ...content, challenge, ledgers: withoutPnl });
    const second = score(['--root', divided.path, ...args], divided.path);
    t.equal(second.code, 3);
    t.match(
      second.err,
      new RegExp(
        `^ptn-devnet: the ledgers have no pnl_gain and pnl_loss, .* counts ${generation === '2025-11' ? '0.9' : '1'} in `,
      ),
    );
    t.match(second.out, /Metrics in crypto, [^]*sortino/);
    t.notMatch(second.out, /pnl|probation|promoted|fulfilled/);
    t.match(second.out, `  ${late}: eliminated: FAILED_CHALLENGE_PERIOD_TIME`);
  }
  const old = writeFolder(t, { ...content, challenge, ledgers: whole });
  const ofMay = score(['--root', old.path, '--generation', '2025-05'], old.path);
  t.same([ofMay.code, ofMay.err], [0, ''], 'rules that rank by one ledger have all that they need');
  t.match(ofMay.out, 'Metrics, each with');
  t.end();
});

void t.test(
  'miners in buckets are scored by the rules since autumn 2025, which pay by what is not in the files',
  (t) => {
    const content = contentOf(miners);
    const row = (bucket: string) => ({
      bucket,
      bucket_start_time: AT_MS - 80 * 86_400_000,
      previous_bucket: null,
      previous_bucket_start_time: null,
    });
    const challenge = Object.fromEntries(
      miners.map(({ hotkey, bucket }) => [hotkey, row(bucket === 'testing' ? 'CHALLENGE' : 'MAINCOMP')]),
    );
    const ledgers = Object.fromEntries(
      miners.map((miner, index) => [
        miner.hotkey,
        { [PORTFOLIO]: withPnl(miner), [index % 2 === 0 ? 'BTCUSD' : 'EURUSD']: withPnl(miner) },
      ]),
    );
    const root = writeFolder(t, { ...content, challenge, ledgers });
    root.writeFile(
      'validation/miner_account_sizes.json',
      JSON.stringify({ [hotkeyOf(0)]: [{ account_size: 200_000 }] }),
    );
    const { code, out } = score(['--root', root.path], root.path);
    t.equal(code, 0);
    t.match(
      out,
      'No weights: 2025-11 pays what miners are owed, which depends on emissions of the live chain.',
    );
    t.match(out, 'Metrics in crypto, ');
    t.match(out, 'Metrics in forex, ');
    t.ok(out.split('\n').every(({ length }) => length <= 100));
    const old = score(['--root', root.path, '--generation', '2025-05', '--json'], root.path);
    t.equal((JSON.parse(old.out) as Report).no_weights, null);
    t.end();
  },
);
