import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { makePtnRoot } from '@ptn-api/testkit';
import t from 'tap';
import { score } from './run-score.ts';
import { checkpointOf, contentOf, hotkeyOf, positionOf, sampleMiners, writeFolder } from './scored-folder.ts';
import type { FolderContent } from './scored-folder.ts';

const miners = sampleMiners();

interface Report {
  readonly miners: readonly unknown[];
  readonly problems: readonly string[];
}

const withLedger =
  (change: (cps: { gain: unknown; last_update_ms: number }[]) => unknown[]) => (content: FolderContent) => {
    const hotkey = hotkeyOf(1);
    const ledger = JSON.parse(JSON.stringify(content.ledgers[hotkey])) as { portfolio: { cps: never[] } };
    return {
      ledgers: {
        ...content.ledgers,
        [hotkey]: { portfolio: { ...ledger.portfolio, cps: change(ledger.portfolio.cps) } },
      },
    };
  };

const nanText = ({ ledgers }: FolderContent): Partial<FolderContent> => ({
  ledgers: JSON.stringify(ledgers).replace(/("gain": ?)[-\d.e]+/, '$1NaN') as never,
});

interface Doubtful {
  readonly what: string;
  readonly change: (content: FolderContent) => Partial<FolderContent>;
  readonly err: RegExp;
}

const DOUBTFUL: readonly Doubtful[] = [
  {
    what: 'a NaN in a ledger',
    change: nanText,
    err: /^ptn-devnet: 5Aptnx+00: its ledger portfolio has a gain that is not a finite number in the cell of 2025-02-20T12:00:00.000Z; it is left out\n$/,
  },
  {
    what: 'a gap in a ledger',
    change: withLedger((cps) => cps.filter((_, index) => index !== 7)),
    err: /^ptn-devnet: 5Bptnx+01: its ledger portfolio has a gap of 12.0 h after 2025-02-23T12:00:00.000Z; those days do not count\n$/,
  },
  {
    what: 'cells out of order',
    change: withLedger((cps) => [...cps].reverse()),
    err: /^ptn-devnet: 5Bptnx+01: its ledger portfolio has its cells out of order at 2025-04-30T12:00:00.000Z; it is left out\n$/,
  },
  {
    what: 'a ledger that is none',
    change: ({ ledgers }) => ({ ledgers: { ...ledgers, '5Odd': { portfolio: { cps: 'many' } } } }),
    err: /^ptn-devnet: 5Odd: its entry among the ledgers is none, and left out\n$/,
  },
  {
    what: 'no challenge period',
    change: () => ({ challenge: undefined }),
    err: /^ptn-devnet: there is no validation\/challengeperiod.json: every miner counts as a newcomer\n$/,
  },
  {
    what: 'no eliminations',
    change: () => ({ eliminations: undefined }),
    err: /^ptn-devnet: there is no validation\/eliminations.json: nobody counts as eliminated\n$/,
  },
  {
    what: 'no positions',
    change: () => ({ positions: [] }),
    err: /^ptn-devnet: there are no positions below validation\/miners: .*\n$/,
  },
];

for (const { what, change, err } of DOUBTFUL) {
  void t.test(`${what} is reported, and the rest is scored`, (t) => {
    const content = contentOf(miners);
    const root = writeFolder(t, { ...content, ...change(content) });
    const result = score(['--root', root.path, '--json'], root.path);
    t.equal(result.code, 3);
    t.match(result.err, err);
    const report = JSON.parse(result.out) as Report;
    t.strictSame(report.problems.map((problem) => `ptn-devnet: ${problem}\n`).join(''), result.err);
    t.equal(report.miners.length, 12);
    t.end();
  });
}

void t.test('a position that cannot be read is left out', (t) => {
  const root = writeFolder(t, contentOf(miners));
  const folder = `validation/miners/${hotkeyOf(0)}/positions/BTCUSD/open`;
  root.writeFile(`${folder}/broken`, '{"position_uuid": "broken"');
  const odd = JSON.stringify({
    ...positionOf(miners[0] as never),
    position_uuid: 'odd',
    return_at_close: 'x',
  });
  root.writeFile(`${folder}/odd`, odd);
  root.writeFile('validation/miners/stray', '');
  const { code, err } = score(['--root', root.path, '--json'], root.path);
  t.equal(code, 3);
  t.match(err, new RegExp(`^ptn-devnet: ${folder}/broken is not JSON: .*; it is left out\n`));
  t.match(
    err,
    `${folder}/odd has a return_at_close, or a leverage or price of an order, that is no number; it is left out\n`,
  );
  t.end();
});

/** Nothing can be scored; each with its one line. */
const IMPOSSIBLE: readonly {
  readonly what: string;
  readonly change: (content: FolderContent) => Partial<FolderContent>;
  readonly err: RegExp;
}[] = [
  {
    what: 'no ledgers',
    change: () => ({ ledgers: undefined as never }),
    err: /^ptn-devnet: there is no validation\/perf_ledgers.json below ROOT: is it a validator's folder\?\n$/,
  },
  {
    what: 'ledgers that are cut short',
    change: ({ ledgers }) => ({ ledgers: JSON.stringify(ledgers).slice(0, 5000) as never }),
    err: /^ptn-devnet: validation\/perf_ledgers.json is not JSON: .*\n$/,
  },
  {
    what: 'ledgers without a cell',
    change: () => ({ ledgers: {} }),
    err: /^ptn-devnet: no miner has a portfolio ledger that can be read: there is nothing to score\n$/,
  },
  {
    what: 'a challenge period of another form',
    change: () => ({ challenge: { hotkeys: [1] } }),
    err: /^ptn-devnet: validation\/challengeperiod.json has neither testing and success with times, nor a bucket for each miner\n$/,
  },
  {
    what: 'eliminations of another form',
    change: () => ({ eliminations: { eliminations: [{ reason: 'LIQUIDATED' }] } }),
    err: /^ptn-devnet: validation\/eliminations.json has no hotkey and elimination_initiated_time_ms in row 1 of its eliminations\n$/,
  },
];

for (const { what, change, err } of IMPOSSIBLE) {
  void t.test(`${what}: one line, and exit code 1`, (t) => {
    const content = contentOf(miners);
    const root = writeFolder(t, { ...content, ...change(content) });
    const result = score(['--root', root.path], root.path);
    t.equal(result.code, 1);
    t.equal(result.out, '');
    t.match(result.err, err);
    t.end();
  });
}

void t.test('a folder without ledgers that has a checkpoint leads to it', (t) => {
  const root = makePtnRoot(t);
  root.writeFile('runnable/validator_checkpoint.json.gz', 'not looked at');
  const { code, err } = score(['--root', root.path], root.path);
  t.equal(code, 1);
  t.match(err, /: score its checkpoint with --checkpoint ROOT\/runnable\/validator_checkpoint.json.gz\n$/);
  t.end();
});

void t.test('what is no folder and no checkpoint is named', (t) => {
  const root = makePtnRoot(t);
  const short = gzipSync(JSON.stringify(checkpointOf(contentOf(miners)))).subarray(0, 3000);
  root.writeFile('short.gz', short);
  root.writeFile('list.json', '[]');
  root.writeFile('other.json', '{"perf_ledgers": {}}');
  mkdirSync(root.join('folder'));
  for (const [args, err] of [
    [['--root', root.join('none')], /^ptn-devnet: ROOT\/none cannot be read: ENOENT/],
    [
      ['--root', root.join('list.json')],
      /^ptn-devnet: ROOT\/list.json is not a folder; a checkpoint file is scored with --checkpoint/,
    ],
    [['--checkpoint', root.join('none')], /^ptn-devnet: there is no file ROOT\/none\n$/],
    [
      ['--checkpoint', root.join('short.gz')],
      /^ptn-devnet: ROOT\/short.gz cannot be read: unexpected end of file\n$/,
    ],
    [['--checkpoint', root.join('folder')], /^ptn-devnet: ROOT\/folder cannot be read: EISDIR/],
    [
      ['--checkpoint', root.join('list.json')],
      /^ptn-devnet: ROOT\/list.json is not a checkpoint: it holds no JSON object\n$/,
    ],
    [
      ['--checkpoint', root.join('other.json')],
      /^ptn-devnet: ROOT\/other.json is not a checkpoint: its member positions has no map of positions\n$/,
    ],
  ] as const) {
    const result = score(args, root.path);
    t.equal(result.code, 1, args.join(' '));
    t.match(result.err, err);
  }
  t.end();
});

void t.test('what of a checkpoint cannot be read is reported by miner', (t) => {
  const root = makePtnRoot(t);
  const checkpoint = checkpointOf(contentOf(miners)) as { positions: Record<string, unknown> };
  const [first, second] = [hotkeyOf(0), hotkeyOf(1)];
  const positions = {
    ...checkpoint.positions,
    [first]: { positions: 'none' },
    [second]: { positions: [{ position_uuid: 'short' }] },
  };
  root.writeFile('checkpoint.json', JSON.stringify({ ...checkpoint, positions }));
  const { code, err } = score(['--checkpoint', root.join('checkpoint.json'), '--json'], root.path);
  t.equal(code, 3);
  t.equal(
    err,
    `ptn-devnet: ${first}: it has no list of positions, and none of them count\n` +
      `ptn-devnet: ${second}: its position 1 has no trade_pair that is a list with the id first; it is left out\n`,
  );
  t.end();
});

void t.test('many problems are cut short on the terminal, and all of them are in the JSON', (t) => {
  const root = writeFolder(t, contentOf(miners));
  for (let index = 0; index < 25; index++) {
    root.writeFile(`validation/miners/${hotkeyOf(0)}/positions/BTCUSD/open/${index}`, '{');
  }
  const { err, out } = score(['--root', root.path, '--json'], root.path);
  t.equal(err.split('\n').length, 22);
  t.match(err, /\nptn-devnet: and 5 more, which --json lists\n$/);
  t.equal((JSON.parse(out) as Report).problems.length, 25);
  t.end();
});

void t.test('a folder of positions that may not be listed is a fault, and not an empty one', (t) => {
  const root = writeFolder(t, contentOf(miners));
  const folder = root.join('validation', 'miners', hotkeyOf(0), 'positions');
  rmSync(folder, { recursive: true });
  symlinkSync('positions', folder);
  t.throws(() => score(['--root', root.path], root.path), { code: 'ELOOP' });
  t.end();
});
