import type { Tier } from '@ptn-api/protocol';
import { StartError } from '@ptn-api/runtime';
import yargs from 'yargs';
import type { Argv } from 'yargs';
import { keysCommand } from './keys-command.ts';
import type { KeysRequest } from './keys-command.ts';
import { OPTION_NAMES, optionLabel, quoted } from './options/options.ts';
import type { OptionName, OptionValues } from './options/options.ts';
import type { PlaceValues } from './options/places.ts';
import { lastGiven, TIER_OPTION, yargsOptions } from './options/yargs-options.ts';
import type { Given } from './options/yargs-options.ts';
import { withoutValidatorFlags } from './validator-flags.ts';

/** What the command line asks for. */
export type Command =
  /** To be printed: the help, or the version. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'serve' | 'demo' | 'doctor'; readonly values: OptionValues }
  | { readonly kind: 'status'; readonly adminPort: string; readonly isJson: boolean }
  | { readonly kind: 'filter'; readonly tier: Tier; readonly now: number; readonly file: string | undefined }
  | { readonly kind: 'keys'; readonly request: KeysRequest; readonly places: PlaceValues }
  /** Neither `--serve` nor anything else that could be done; the text is the help. */
  | { readonly kind: 'nothing'; readonly text: string };

interface ParseContext {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Unix ms. */
  readonly nowMs: number;
}

/** Where standard output is no terminal. */
const DEFAULT_COLUMNS = 80;
const UNIX_MS = /^\d{1,15}$/;

const EXAMPLES: [string, string][] = [
  ['ptn-api --serve', 'Serve the validator in the current folder, to this machine only'],
  ['ptn-api --serve --api-host 0.0.0.0', 'Serve it to other machines too'],
  ['ptn-api keys add alice --tier 50', 'Give a customer a key; see ptn-api keys --help'],
  ['ptn-api --serve --demo', 'Try everything with a simulated validator'],
  ['ptn-api doctor', 'Check everything that --serve needs, with the same options'],
  ['ptn-api status', 'Show how the server is that runs on this machine'],
  ['ptn-api filter --tier 30 output.json', "Cut a validator's output.json to a tier"],
];

const EPILOGUE = `Every option can be given as the environment variable named in its line; the command line goes before it.
Arguments of the validator (--wallet.name, --subtensor.network, --axon.port, --logging.debug, --autosync,
--start-generate and so on) are accepted and ignored, so that both can be started with the same line.`;

/** What the checks depend on; the other options of the server are accepted, too. */
const DOCTOR_OPTIONS = [
  'ptn-root',
  'positions-source',
  'api-keys',
  'api-host',
  'api-rest-port',
  'api-ws-port',
  'admin-port',
  'state-dir',
  'order-retention-count',
] as const satisfies readonly OptionName[];

/** Commands that nobody starts with the validator's line. */
const OWN_COMMANDS = ['filter', 'keys', 'status'];

function usageError(detail: string): StartError {
  return new StartError('PTN_ERR_CLI_USAGE', { detail: `${detail} (ptn-api --help lists what there is)` });
}

/** yargs, set so that values are taken as they are written, and names have one form. */
function baseParser(version: string): Argv {
  return (
    yargs()
      .scriptName('ptn-api')
      // Messages and help are in the language of the documents, whatever the machine's.
      .locale('en')
      .help('help', 'Show this help and exit')
      .alias('help', 'h')
      .version('version', 'Show the version and exit', version)
      .wrap(process.stdout.columns || DEFAULT_COLUMNS)
      .strict()
      .strictCommands()
      .recommendCommands()
      .parserConfiguration({
        'boolean-negation': false,
        'camel-case-expansion': false,
        'dot-notation': false,
        'greedy-arrays': false,
        'parse-numbers': false,
        'parse-positional-numbers': false,
        'short-option-groups': false,
        'strip-aliased': true,
      })
      .fail((message: string | null, error: Error | undefined) => {
        throw message === null && error !== undefined ? error : usageError(message ?? 'cannot be read');
      })
  );
}

function readNow(given: Given, nowMs: number): number {
  const text = lastGiven(given);
  if (UNIX_MS.test(text)) return Number(text);
  throw new Error(`--now is ${quoted(text)}, allowed is a time in Unix ms such as ${nowMs}`);
}

/**
 * Reads the command line, without the names of Node and of the script. Neither prints nor ends the process.
 *
 * @throws StartError `PTN_ERR_CLI_USAGE`
 */
export function parseCommandLine(args: readonly string[], { version, env, nowMs }: ParseContext): Command {
  let command: Command | undefined;
  let text = '';
  const parser = baseParser(version)
    .usage(
      '$0 --serve [options]\n\nServes the data of a PTN validator (Bittensor subnet 8) over REST and WebSocket.',
    )
    .command(
      'doctor',
      'Check what --serve with the same options needs',
      (inner) =>
        inner
          .usage(
            '$0 doctor [options]\n\nChecks what ptn-api --serve with the same options needs, and says what to do: the ' +
              'exit code is 1 if something would prevent serving.',
          )
          .options(yargsOptions(OPTION_NAMES, env, DOCTOR_OPTIONS))
          .epilogue(
            'All other options of --serve are accepted as well, so that its line can be used as it is.',
          ),
      (argv) => {
        command = { kind: 'doctor', values: argv as unknown as OptionValues };
      },
    )
    .command(
      'status',
      'Show how the server is that runs on this machine',
      (inner) =>
        inner
          .usage(
            '$0 status [options]\n\nShows how the server is that runs on this machine: 0 is the exit code when all is ' +
              'well, 1 when it is degraded, 2 when none answers.',
          )
          .options(yargsOptions(['admin-port'], env))
          .option('json', { describe: 'Write it as JSON', type: 'boolean', default: false }),
      (argv) => {
        command = { kind: 'status', adminPort: String(argv['admin-port']), isJson: argv.json };
      },
    )
    .command(
      'filter [file]',
      "Cut a validator's output.json to a tier",
      (inner) =>
        inner
          .usage(
            '$0 filter --tier TIER [--now MS] [FILE]\n\nReads the map of miners as in validation/outputs/output.json ' +
              'from FILE, or from standard input, and writes it as a key of the tier sees it.',
          )
          .positional('file', { describe: 'Plain or gzip', type: 'string' })
          .options({
            tier: TIER_OPTION,
            now: {
              describe: 'The time of the read, in Unix ms',
              type: 'string',
              default: String(nowMs),
              defaultDescription: 'now',
              coerce: (given: Given) => readNow(given, nowMs),
            },
          }),
      (argv) => {
        command = { kind: 'filter', tier: Number(argv.tier) as Tier, now: argv.now, file: argv.file };
      },
    )
    .command('keys', 'Add, list, rotate, revoke and check keys', (inner) =>
      keysCommand(inner, {
        env,
        nowMs,
        onRequest: (request, places) => {
          command = { kind: 'keys', request, places };
        },
      }),
    )
    .options(yargsOptions(OPTION_NAMES, env))
    .example(EXAMPLES)
    .epilogue(EPILOGUE);

  const known = OWN_COMMANDS.includes(args[0] ?? '') ? [...args] : withoutValidatorFlags(args);
  const values = parser.parse(known, {}, (_error, _argv, output) => {
    text = output;
  }) as unknown as OptionValues;
  if (text !== '') return { kind: 'text', text: `${text}\n` };
  if (command !== undefined) return command;
  if (values.serve === true) return { kind: values.demo === true ? 'demo' : 'serve', values };
  if (values.demo === true) throw usageError(`${optionLabel('demo')} needs --serve`);
  parser.showHelp((help) => {
    text = help;
  });
  return { kind: 'nothing', text: `${text}\n` };
}
