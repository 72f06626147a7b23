import yargs from 'yargs';
import { MONTH_MS } from './history.ts';
import { GENERATIONS } from './generation.ts';
import type { Generation } from './generation.ts';
import { ownVersion } from './own-version.ts';

/** On average a miner opens at most one position in so much time, or its orders would not fit between each other. */
const MIN_SPACING_MS = 60_000;

/** What the command line says, checked. */
export interface Options {
  readonly root: string;
  readonly seed: number;
  readonly miners: number;
  readonly positions: number;
  readonly months: number;
  readonly startMs: number;
  readonly ordersPerSecond: number;
  readonly refreshMs: number;
  readonly outputsMs: number;
  readonly generation: Generation;
  readonly historyOnly: boolean;
}

/** A command line that cannot be obeyed; the message says what to change. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Numbers an option may have. */
export interface Range {
  readonly least: number;
  readonly most?: number;
  readonly isWhole?: boolean;
}

const RANGES: Readonly<Record<string, Range>> = {
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, isWhole: true },
  miners: { least: 1, most: 10_000, isWhole: true },
  positions: { least: 0, most: 1_000_000, isWhole: true },
  months: { least: 0.1, most: 24 },
  'start-ms': { least: 1_577_836_800_000, isWhole: true },
  'orders-per-second': { least: 0, most: 200 },
  'refresh-ms': { least: 0, most: 2 ** 31 - 1, isWhole: true },
  'outputs-ms': { least: 0, most: 2 ** 31 - 1, isWhole: true },
};

/** @throws UsageError where an option is given, and not as its range has it. */
export function checkRange(name: string, range: Range, value: unknown): void {
  if (value === undefined) return;
  const { least, most = Infinity, isWhole = false } = range;
  const isNumber = typeof value === 'number' && !Number.isNaN(value);
  if (isNumber && value >= least && value <= most && (!isWhole || Number.isInteger(value))) return;
  const kind = isWhole ? 'a whole number' : 'a number';
  const limits = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`--${name} needs ${kind} ${limits}, given once`);
}

/**
 * Reads the command line. `--help` and `--version` print and end the process.
 *
 * @throws UsageError when it cannot be obeyed.
 */
export function parseOptions(args: readonly string[], nowMs: number): Options {
  const parsed = yargs(args)
    .scriptName('ptn-devnet')
    .usage(
      '$0 --root DIR [options]\n\nA simulated validator: fills DIR with a history, then goes on trading.\n' +
        '$0 run --help: a validator that takes signed orders.',
    )
    .options({
      root: { type: 'string', demandOption: true, describe: 'New or empty folder that becomes PTN_ROOT' },
      seed: { type: 'number', default: 1, describe: 'The same seed and start give the same history' },
      miners: { type: 'number', default: 40 },
      positions: { type: 'number', describe: 'Of all miners together [60 for each miner]' },
      months: { type: 'number', default: 3, describe: 'Length of the history, of 30 days each' },
      'start-ms': { type: 'number', describe: 'End of the history, Unix ms [now]' },
      'orders-per-second': { type: 'number', default: 1, describe: 'On average; 0 for none' },
      'refresh-ms': { type: 'number', default: 60_000, describe: 'Between refreshes of returns; 0 for none' },
      'outputs-ms': { type: 'number', default: 15_000, describe: 'Between writing outputs; 0 for none' },
      generation: {
        type: 'string',
        choices: GENERATIONS,
        default: '2025' as const,
        describe: 'The form of the records',
      },
      'history-only': { type: 'boolean', default: false, describe: 'Write the history and end' },
    })
    .strict()
    .version(ownVersion())
    .locale('en')
    .fail((message, error: Error | undefined) => {
      throw error ?? new UsageError(message.replaceAll(/\s+/g, ' '));
    })
    .parseSync();

  for (const [name, range] of Object.entries(RANGES)) checkRange(name, range, parsed[name]);
  if (typeof parsed.root !== 'string' || parsed.root === '') {
    throw new UsageError('--root needs the path of a new or empty folder, given once');
  }
  const startMs = parsed['start-ms'] ?? nowMs;
  // New orders carry the present time and may not be older than those before them.
  if (startMs > nowMs) throw new UsageError('--start-ms may not lie in the future');
  const positions = parsed.positions ?? 60 * parsed.miners;
  if ((positions / parsed.miners) * MIN_SPACING_MS > parsed.months * MONTH_MS) {
    throw new UsageError(
      `--positions ${positions} do not fit in --months ${parsed.months}: more miners or months`,
    );
  }
  return {
    root: parsed.root,
    seed: parsed.seed,
    miners: parsed.miners,
    positions,
    months: parsed.months,
    startMs,
    ordersPerSecond: parsed['orders-per-second'],
    refreshMs: parsed['refresh-ms'],
    outputsMs: parsed['outputs-ms'],
    generation: parsed.generation,
    historyOnly: parsed['history-only'],
  };
}
