import { isIP } from 'node:net';
import { resolve } from 'node:path';
import yargs from 'yargs';
import { checkRange, ownVersion, UsageError } from '@ptn-api/simulator';
import type { Range } from '@ptn-api/simulator';
import { LIVE_GENERATIONS } from '../scoring/live-generations.ts';
import type { RunOptions } from '../validator/run-validator.ts';

const MAX_COLUMNS = 100;

const RANGES: Readonly<Record<string, Range>> = {
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, isWhole: true },
  miners: { least: 0, most: 256, isWhole: true },
  founders: { least: 0, most: 256, isWhole: true },
  speed: { least: 0.1, most: 86_400 },
  'start-ms': { least: 1_577_836_800_000, most: 4_102_444_800_000, isWhole: true },
  'axon-port': { least: 0, most: 65_535, isWhole: true },
};

/**
 * Reads the command line of `ptn-devnet run`. `--help` and `--version` print and end the process.
 *
 * @throws UsageError when it cannot be obeyed.
 */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const parsed = yargs(args)
    .scriptName('ptn-devnet')
    .usage(
      '$0 run --root DIR [options]\n\n' +
        'A validator: takes signed orders from simulated and own miners, and writes DIR as validators do.\n' +
        'Started again with the same DIR it goes on where it was.',
    )
    .options({
      root: { type: 'string', demandOption: true, describe: 'The folder that is, or becomes, PTN_ROOT' },
      miners: { type: 'number', default: 8, describe: 'Simulated miners, who send signed orders' },
      founders: {
        type: 'number',
        describe: 'Of these, in the main competition of a new folder from the start [a third]',
      },
      metagraph: { type: 'string', describe: 'Metagraph file with own miners; it may change at any time' },
      prices: {
        type: 'string',
        describe:
          'CSV of candles to replay: trade_pair,start_ms,open,high,low,close[,volume] [a random walk]',
      },
      speed: {
        type: 'number',
        default: 1,
        describe: 'Simulated seconds in a real one; 1440 is a day in a minute',
      },
      'start-ms': {
        type: 'number',
        describe: 'Time at which a new folder begins, Unix ms [now, or with the first candle]',
      },
      'catch-up': {
        type: 'boolean',
        default: false,
        describe: 'Run at --speed until it is the time of the world, then with it',
      },
      seed: { type: 'number', describe: 'Makes prices, keys and decisions of a new folder [1]' },
      generation: {
        type: 'string',
        choices: [...LIVE_GENERATIONS.keys()],
        describe: 'Rules of scoring of a new folder [2025-05]; orders are taken by those of 2025-05',
      },
      verbose: { type: 'boolean', default: false, describe: 'Log every request, and why it was refused' },
      'axon-host': { type: 'string', default: '127.0.0.1', describe: 'Address that orders are taken at' },
      'axon-port': { type: 'number', default: 8091, describe: 'Port that orders are taken at; 0 for any' },
    })
    .strict()
    .version(ownVersion())
    .locale('en')
    .wrap(Math.min(process.stdout.columns || MAX_COLUMNS, MAX_COLUMNS))
    .fail((message, error: Error | undefined) => {
      throw error ?? new UsageError(message.replaceAll(/\s+/g, ' '));
    })
    .parseSync();

  for (const [name, range] of Object.entries(RANGES)) checkRange(name, range, parsed[name]);
  for (const name of ['root', 'metagraph', 'prices', 'generation', 'axon-host'] as const) {
    const value: unknown = parsed[name];
    if (value === '' || Array.isArray(value)) throw new UsageError(`--${name} needs one value, given once`);
  }
  if (isIP(parsed['axon-host']) === 0) {
    throw new UsageError(`--axon-host ${parsed['axon-host']} is no address, such as 127.0.0.1 or 0.0.0.0`);
  }
  const path = (given: string | undefined): string | undefined =>
    given === undefined ? undefined : resolve(given);
  return {
    root: resolve(parsed.root),
    seed: parsed.seed,
    generation: parsed.generation,
    miners: parsed.miners,
    founders: parsed.founders,
    metagraph: path(parsed.metagraph),
    prices: path(parsed.prices),
    speed: parsed.speed,
    startMs: parsed['start-ms'],
    isCatchingUp: parsed['catch-up'],
    axonHost: parsed['axon-host'],
    axonPort: parsed['axon-port'],
    isVerbose: parsed.verbose,
  };
}
