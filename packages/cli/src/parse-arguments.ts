import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import yargs from 'yargs';
import type { Argv, Options } from 'yargs';
import { definitionOf, OPTION_NAMES, quoted } from './options/given-options.ts';
import type { Given, GivenOptions } from './options/given-options.ts';
import type { OptionName } from './options/options.ts';
import { nearest } from './nearest.ts';
import { readKeysRequest } from './keys-request.ts';
import type { KeysRequest } from './keys-request.ts';
import { withoutValidatorFlags } from './validator-flags.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'server'; readonly given: GivenOptions }
  | { readonly kind: 'status'; readonly given: GivenOptions; readonly isJson: boolean }
  | { readonly kind: 'doctor'; readonly given: GivenOptions }
  | { readonly kind: 'filter'; readonly tier: Tier; readonly now: number; readonly file: string | undefined }
  | { readonly kind: 'keys'; readonly request: KeysRequest; readonly given: GivenOptions }
  | { readonly kind: 'usage-error'; readonly detail: string };

interface ParseContext {
  readonly version: string;
  /** Unix ms. */
  readonly nowMs: number;
}

/** Where standard output is no terminal. */
const DEFAULT_COLUMNS = 80;
const [MIN_COLUMNS, MAX_COLUMNS] = [60, 110];
const UNIX_MS = /^\d{1,15}$/;

const EXAMPLES: [string, string][] = [
  ['ptn-api --serve', 'Serve the validator in the current folder, to this machine only'],
  ['ptn-api --serve --api-host 0.0.0.0', 'Serve it to other machines too'],
  ['ptn-api keys add alice --tier 50', 'Give a customer a key; ptn-api keys --help tells more'],
  ['ptn-api --serve --demo', 'Try everything with a simulated validator'],
  ['ptn-api doctor', 'Check everything that --serve needs, with the same options'],
  ['ptn-api status', 'Show how the server is that runs on this machine'],
  ['ptn-api filter --tier 30 output.json', "Cut a validator's output.json to a tier"],
];

const EPILOGUE = `Every option can be given as the environment variable named in its line; the command line goes before it.
Arguments of the validator (--wallet.name, --subtensor.network, --axon.port, --logging.debug, --autosync,
--start-generate and so on) are accepted and ignored, so that both can be started with the same line.`;

/** Reads the command line, without the names of Node and of the script. Neither prints nor ends the process. */
export async function parseArguments(args: readonly string[], context: ParseContext): Promise<Command> {
  const [first, ...rest] = args;
  switch (first) {
    case 'filter':
      return parseFilter(rest, context);
    case 'keys':
      return parseKeys(rest, context);
    case 'status':
      return parseStatus(rest, context);
    case 'doctor': {
      if (rest.some((arg) => arg === '--help' || arg === '-h'))
        return { kind: 'text', text: `${await doctorParser(context.version).getHelp()}\n` };
      const command = await parseServer(rest, context);
      return command.kind === 'server' ? { kind: 'doctor', given: command.given } : command;
    }
    case undefined:
    default:
      return parseServer(args, context);
  }
}

async function parseStatus(args: readonly string[], { version }: ParseContext): Promise<Command> {
  const parsed = await run(statusParser(version), args);
  if ('kind' in parsed) return parsed;

  const { options, positional } = parsed;
  const unknown = [...options.keys()].find((name) => name !== 'admin-port' && name !== 'json');
  if (unknown !== undefined) return unknownOption(unknown, ['admin-port', 'json']);
  if (positional[0] !== undefined)
    return usageError(`status takes no ${quoted(positional[0])}, only --admin-port and --json`);
  const port = options.get('admin-port');
  const given = new Map<OptionName, Given>();
  if (port !== undefined) given.set('admin-port', { value: port, source: '--admin-port' });
  return { kind: 'status', given, isJson: options.get('json') === 'true' };
}

/** The help of `ptn-api`. */
export async function helpText(version: string): Promise<string> {
  return `${await serverParser(version).getHelp()}\n`;
}

async function parseServer(args: readonly string[], { version }: ParseContext): Promise<Command> {
  const parsed = await run(serverParser(version), withLists(withoutValidatorFlags(args)));
  if ('kind' in parsed) return parsed;

  const [stray] = parsed.positional;
  if (stray !== undefined) {
    const guess = nearest(stray, ['filter', 'keys', 'status', 'doctor', '--serve']);
    return usageError(
      `unknown command ${quoted(stray)}${guess === undefined ? '' : `, did you mean ${guess}?`}`,
    );
  }
  const given = new Map<OptionName, Given>();
  for (const [name, value] of parsed.options) {
    const option = OPTION_NAMES.find((known) => known === name || definitionOf(known).alias === name);
    if (option === undefined) return unknownOption(name, OPTION_NAMES);
    // The name of our own counts where both are given.
    if (option !== name && parsed.options.has(option)) continue;
    given.set(option, { value, source: `--${name}` });
  }
  return { kind: 'server', given };
}

async function parseFilter(args: readonly string[], { version, nowMs }: ParseContext): Promise<Command> {
  const parsed = await run(filterParser(version), args);
  if ('kind' in parsed) return parsed;

  const { options, positional } = parsed;
  const unknown = [...options.keys()].find((name) => name !== 'tier' && name !== 'now');
  if (unknown !== undefined) return unknownOption(unknown, ['tier', 'now']);
  const [file, ...more] = positional;
  if (more.length > 0)
    return usageError(`filter takes one file, given were ${positional.map(quoted).join(', ')}`);

  const tierText = options.get('tier');
  if (tierText === undefined) return usageError(`--tier is missing, allowed are ${TIERS.join(', ')}`);
  const tier = TIERS.find((candidate) => String(candidate) === tierText);
  if (tier === undefined) return usageError(`--tier is ${quoted(tierText)}, allowed are ${TIERS.join(', ')}`);
  const now = options.get('now') ?? String(nowMs);
  if (!UNIX_MS.test(now))
    return usageError(`--now is ${quoted(now)}, allowed is a time in Unix ms such as ${nowMs}`);
  return { kind: 'filter', tier, now: Number(now), file };
}

/** Options that may stand several times, each joined into one. */
function withLists(args: readonly string[]): string[] {
  const values = new Map<string, string[]>();
  const others: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    const [flag = '', ...rest] = arg.split('=');
    const name = OPTION_NAMES.find((known) => `--${known}` === flag && definitionOf(known).isList);
    const value = arg.includes('=') ? rest.join('=') : args[at + 1];
    if (name === undefined || value === undefined || (!arg.includes('=') && value.startsWith('--'))) {
      others.push(arg);
      continue;
    }
    if (!arg.includes('=')) at += 1;
    values.set(flag, [...(values.get(flag) ?? []), value]);
  }
  return [...others, ...[...values].map(([flag, list]) => `${flag}=${list.join(',')}`)];
}

async function parseKeys(args: readonly string[], { version, nowMs }: ParseContext): Promise<Command> {
  const parsed = await run(keysParser(version), args);
  if ('kind' in parsed) return parsed;
  const given = new Map<OptionName, Given>();
  const own = new Map<string, string>();
  for (const [name, value] of parsed.options) {
    const place = PLACE_OPTIONS.find((known) => known === name);
    if (place !== undefined) given.set(place, { value, source: `--${name}` });
    else if (KEYS_OPTIONS.includes(name)) own.set(name, value);
    else return unknownOption(name, [...KEYS_OPTIONS, ...PLACE_OPTIONS]);
  }
  const request = readKeysRequest(parsed.positional, own, nowMs);
  return 'problem' in request ? usageError(request.problem) : { kind: 'keys', request, given };
}

/** Where the key file and the server that reads it are. */
const PLACE_OPTIONS = ['api-keys', 'ptn-root', 'state-dir'] as const satisfies readonly OptionName[];
const KEYS_OPTIONS: readonly string[] = [
  'tier',
  'hashed',
  'expires',
  'rate-limit',
  'max-connections',
  'grace',
  'json',
];

function keysParser(version: string): Argv {
  return baseParser(version)
    .usage(
      'Reads and changes the key file; a running server takes changes over within a second.\n\nUsage:\n' +
        '  $0 keys add USER --tier TIER [--hashed] [--expires WHEN] [--rate-limit N] [--max-connections N]\n' +
        '  $0 keys list [--json]\n' +
        '  $0 keys rotate USER [--grace 24h]\n' +
        '  $0 keys revoke USER\n' +
        '  $0 keys check          the key from PTN_API_KEY or standard input',
    )
    .options({
      tier: { describe: `Data freshness tier: ${TIERS.join(', ')}`, type: 'string' },
      hashed: { describe: 'Keep only the digest of the key in the file', type: 'boolean' },
      expires: { describe: 'When the key ends: 2030-01-31, 2030-01-31T12:00:00Z, or 90d', type: 'string' },
      'rate-limit': { describe: 'Its REST requests per minute', type: 'string' },
      'max-connections': { describe: 'Its streams at a time', type: 'string' },
      grace: { describe: 'How long the old key still counts [default: 24h]', type: 'string' },
      json: { describe: 'List as JSON', type: 'boolean' },
      ...Object.fromEntries(PLACE_OPTIONS.map((name) => [name, serverOption(name)])),
    });
}

/** An option of the server, as the help shows it. */
function serverOption(name: OptionName): Options {
  const { env, describe, isSwitch, fallback } = definitionOf(name);
  return {
    describe: `${describe}${fallback === undefined ? '' : ` [default: ${fallback}]`} [${env}]`,
    // Without a type a switch may have a value too, which is checked like one of the environment.
    ...(isSwitch ? {} : { type: 'string' }),
  };
}

function serverParser(version: string): Argv {
  const options = Object.fromEntries(
    OPTION_NAMES.map((name) => [name, { ...serverOption(name), group: definitionOf(name).group }]),
  );
  return baseParser(version)
    .usage('Serves the data of a PTN validator (Bittensor subnet 8) over REST and WebSocket.\n')
    .usage(
      'Usage:\n  $0 --serve [options]\n  $0 doctor [options]\n  $0 status [--admin-port N] [--json]\n  $0 filter --tier TIER [--now MS] [FILE]\n  $0 keys ACTION',
    )
    .options(options)
    .example(EXAMPLES)
    .epilogue(EPILOGUE);
}

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

function doctorParser(version: string): Argv {
  return baseParser(version)
    .usage(
      'Checks what ptn-api --serve with the same options needs, and says what to do: the exit code is 1 if ' +
        'something would prevent serving.\n\nUsage: $0 doctor [options]',
    )
    .options(Object.fromEntries(DOCTOR_OPTIONS.map((name) => [name, serverOption(name)])))
    .epilogue('All other options of --serve are accepted as well, so that its line can be used as it is.');
}

function statusParser(version: string): Argv {
  const { describe, fallback, env } = definitionOf('admin-port');
  return baseParser(version)
    .usage(
      'Shows how the server is that runs on this machine: 0 is the exit code when all is well, 1 when it is degraded, ' +
        '2 when none answers.\n\nUsage: $0 status [--admin-port N] [--json]',
    )
    .options({
      'admin-port': { describe: `${describe} [default: ${fallback ?? ''}] [${env}]`, type: 'string' },
      json: { describe: 'Write it as JSON', type: 'boolean' },
    });
}

function filterParser(version: string): Argv {
  return baseParser(version)
    .usage(
      'Reads the map of miners as in validation/outputs/output.json from FILE, or from standard input, and writes ' +
        'it as a key of the tier sees it.\n\nUsage: $0 filter --tier TIER [--now MS] [FILE]',
    )
    .options({
      tier: { describe: `Data freshness tier: ${TIERS.join(', ')}`, type: 'string' },
      now: { describe: 'The time of the read, in Unix ms [default: now]', type: 'string' },
    });
}

/** The width of the terminal, within what can be read. */
function helpColumns(): number {
  const columns = process.stdout.isTTY ? process.stdout.columns : DEFAULT_COLUMNS;
  return Math.min(Math.max(columns, MIN_COLUMNS), MAX_COLUMNS);
}

function baseParser(version: string): Argv {
  return (
    yargs()
      .scriptName('ptn-api')
      // Messages and help are in the language of the documents, whatever the machine's.
      .locale('en')
      .help('help', 'Show this help and exit')
      .alias('help', 'h')
      .version('version', 'Show the version and exit', version)
      .wrap(helpColumns())
      .exitProcess(false)
      .parserConfiguration({
        'boolean-negation': false,
        'camel-case-expansion': false,
        'dot-notation': false,
        'duplicate-arguments-array': false,
        'parse-numbers': false,
        'parse-positional-numbers': false,
        'short-option-groups': false,
        'strip-aliased': true,
      })
  );
}

interface Parsed {
  /** By name; a switch is `true` or `false`. */
  readonly options: ReadonlyMap<string, string>;
  readonly positional: readonly string[];
}

/** What yargs made of the arguments: the options and the rest, or what to print, or what is wrong. */
async function run(parser: Argv, args: readonly string[]): Promise<Command | Parsed> {
  let failure: string | undefined;
  let text = '';
  parser.fail((message: string | null, error: Error | undefined) => {
    failure ??= message ?? error?.message ?? 'the command line cannot be read';
  });
  const parsed = await parser.parseAsync([...args], {}, (_error, _parsed, output) => {
    text = output;
  });
  if (failure !== undefined) return usageError(failure);
  if (text !== '') return { kind: 'text', text: `${text}\n` };
  const own = ['_', '$0', 'help', 'version'];
  const options = Object.entries(parsed).filter(
    ([name, value]) => !own.includes(name) && value !== undefined,
  );
  return {
    options: new Map(
      options.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ),
    positional: parsed._.map(String),
  };
}

function usageError(detail: string): Command {
  return { kind: 'usage-error', detail };
}

function unknownOption(name: string, known: readonly string[]): Command {
  const flag = name.length === 1 ? `-${name}` : `--${name}`;
  const guess = nearest(name, [...known, 'help', 'version']);
  return usageError(`unknown option ${flag}${guess === undefined ? '' : `, did you mean --${guess}?`}`);
}
