import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import yargs from 'yargs';
import type { Argv, Options } from 'yargs';
import { definitionOf, OPTION_NAMES, quoted } from '../config/given-options.ts';
import type { Given, GivenOptions } from '../config/given-options.ts';
import type { OptionName } from '../config/options.ts';
import { nearest } from './nearest.ts';
import { withoutValidatorFlags } from './validator-flags.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'server'; readonly given: GivenOptions }
  | { readonly kind: 'status'; readonly given: GivenOptions; readonly isJson: boolean }
  | { readonly kind: 'doctor'; readonly given: GivenOptions }
  | { readonly kind: 'filter'; readonly tier: Tier; readonly now: number; readonly file: string | undefined }
  | { readonly kind: 'mistake'; readonly detail: string };

interface ParseContext {
  readonly version: string;
  /** Unix ms. */
  readonly nowMs: number;
}

const UNIX_MS = /^\d{1,15}$/;

const EXAMPLES: [string, string][] = [
  ['ptn-api --serve', 'Serve the validator in the current folder, to this machine only'],
  ['ptn-api --serve --api-host 0.0.0.0', 'Serve it to other machines too'],
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
    case 'status':
      return parseStatus(rest, context);
    case 'doctor': {
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
    return mistake(`status takes no ${quoted(positional[0])}, only --admin-port and --json`);
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
  const parsed = await run(serverParser(version), withoutValidatorFlags(args));
  if ('kind' in parsed) return parsed;

  const [stray] = parsed.positional;
  if (stray !== undefined) {
    const guess = nearest(stray, ['filter', 'status', 'doctor', '--serve']);
    return mistake(
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
    return mistake(`filter takes one file, given were ${positional.map(quoted).join(', ')}`);

  const tierText = options.get('tier');
  if (tierText === undefined) return mistake(`--tier is missing, allowed are ${TIERS.join(', ')}`);
  const tier = TIERS.find((candidate) => String(candidate) === tierText);
  if (tier === undefined) return mistake(`--tier is ${quoted(tierText)}, allowed are ${TIERS.join(', ')}`);
  const now = options.get('now') ?? String(nowMs);
  if (!UNIX_MS.test(now))
    return mistake(`--now is ${quoted(now)}, allowed is a time in Unix ms such as ${nowMs}`);
  return { kind: 'filter', tier, now: Number(now), file };
}

function serverParser(version: string): Argv {
  const options: Record<string, Options> = {};
  for (const name of OPTION_NAMES) {
    const { env, group, describe, isSwitch, fallback } = definitionOf(name);
    options[name] = {
      group,
      describe: `${describe}${fallback === undefined ? '' : ` [default: ${fallback}]`} [${env}]`,
      // Without a type a switch may have a value too, which is checked like one of the environment.
      ...(isSwitch ? {} : { type: 'string' }),
    };
  }
  return baseParser(version)
    .usage('Serves the data of a PTN validator (Bittensor subnet 8) over REST and WebSocket.\n')
    .usage(
      'Usage:\n  $0 --serve [options]\n  $0 doctor [options]\n  $0 status [--admin-port N] [--json]\n  $0 filter --tier TIER [--now MS] [FILE]',
    )
    .options(options)
    .example(EXAMPLES)
    .epilogue(EPILOGUE);
}

function statusParser(version: string): Argv {
  const { describe, fallback, env } = definitionOf('admin-port');
  return baseParser(version)
    .usage(
      'Shows how the server is that runs on this machine: 0 is the exit code when all is well, 1 when it is degraded,\n' +
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
      'Reads the map of miners as in validation/outputs/output.json from FILE, or from standard input, and writes\n' +
        'it as a key of the tier sees it.\n\nUsage: $0 filter --tier TIER [--now MS] [FILE]',
    )
    .options({
      tier: { describe: `Data freshness tier: ${TIERS.join(', ')}`, type: 'string' },
      now: { describe: 'The time of the read, in Unix ms [default: now]', type: 'string' },
    });
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
      .wrap(110)
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
  if (failure !== undefined) return mistake(failure);
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

function mistake(detail: string): Command {
  return { kind: 'mistake', detail };
}

function unknownOption(name: string, known: readonly string[]): Command {
  const flag = name.length === 1 ? `-${name}` : `--${name}`;
  const guess = nearest(name, [...known, 'help', 'version']);
  return mistake(`unknown option ${flag}${guess === undefined ? '' : `, did you mean --${guess}?`}`);
}
