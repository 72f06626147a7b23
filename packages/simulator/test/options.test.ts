import t from 'tap';
import { GENERATIONS } from '../dist/generation.js';
import { parseOptions, UsageError } from '../dist/options.js';

const NOW_MS = Date.UTC(2025, 10, 14);

void t.test('what is left out has its default', (t) => {
  t.strictSame(parseOptions(['--root', 'r'], NOW_MS), {
    root: 'r',
    seed: 1,
    miners: 40,
    positions: 2400,
    months: 3,
    startMs: NOW_MS,
    ordersPerSecond: 1,
    refreshMs: 60_000,
    outputsMs: 15_000,
    generation: '2025',
    historyOnly: false,
  });
  t.end();
});

void t.test('what is given is taken', (t) => {
  const args = [
    '--root=r',
    '--seed=2',
    '--miners=256',
    '--positions=100000',
    '--months=4',
    '--start-ms=1762000000000',
  ];
  const rhythm = [
    '--orders-per-second=0.5',
    '--refresh-ms=0',
    '--outputs-ms=100',
    '--generation=account-size',
    '--history-only',
  ];
  t.strictSame(parseOptions([...args, ...rhythm], NOW_MS), {
    root: 'r',
    seed: 2,
    miners: 256,
    positions: 100_000,
    months: 4,
    startMs: 1_762_000_000_000,
    ordersPerSecond: 0.5,
    refreshMs: 0,
    outputsMs: 100,
    generation: 'account-size',
    historyOnly: true,
  });
  t.end();
});

void t.test('every form of records can be asked for, also those whose names are numbers', (t) => {
  for (const generation of GENERATIONS) {
    t.equal(parseOptions(['--root=r', '--generation', generation], NOW_MS).generation, generation);
  }
  t.end();
});

const refused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [[], /^Missing required argument: root$/],
  [['--root'], /^Not enough arguments following: root$|--root needs the path/],
  [['--root='], /^--root needs the path of a new or empty folder, given once$/],
  [['--root=r', '--root=s'], /^--root needs the path/],
  [['--root=r', '--miners=0'], /^--miners needs a whole number from 1 to 10000, given once$/],
  [['--root=r', '--miners=many'], /^--miners needs/],
  [['--root=r', '--seed=1.5'], /^--seed needs a whole number/],
  [['--root=r', '--orders-per-second=500'], /^--orders-per-second needs a number from 0 to 200, given once$/],
  [['--root=r', '--months=1', '--months=2'], /^--months needs a number from 0.1 to 24, given once$/],
  [['--root=r', '--generation=1999'], /^Invalid values: Argument: generation.*1999/],
  [['--root=r', '--colour=red'], /^Unknown argument: colour$/],
  [['--root=r', 'more'], /^Unknown argument: more$/],
  [['--root=r', `--start-ms=${NOW_MS + 1}`], /^--start-ms may not lie in the future$/],
  [['--root=r', '--miners=1', '--positions=900000'], /^--positions 900000 do not fit in --months 3/],
];
for (const [args, message] of refused) {
  void t.test(`refuses ${args.join(' ') || 'no arguments'}`, (t) => {
    t.throws(() => parseOptions(args, NOW_MS), { name: UsageError.prototype.name, message });
    t.end();
  });
}
