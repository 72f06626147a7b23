import { parseArgs } from 'node:util';

export const USAGE = `Usage: ptn-stream KEY [HOST] [PORT] [options]

Prints every order of the stream, from now on.

  KEY              API key of tier 100. With - or nothing, the variable PTN_API_KEY is used,
                   which keeps the key out of the process list
  HOST             default localhost
  PORT             WebSocket port, default 8765

  --json           one line of JSON per order
  --since N        begin after order N
  --rest-port N    REST port of the same host: orders that the stream leaves out are read there
  --help           this text
`;

export interface StreamArguments {
  readonly apiKey: string;
  readonly url: string;
  readonly restUrl?: string;
  readonly since?: number;
  readonly isJson: boolean;
}

/** What is wrong with a command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(`${name} must be a whole number from ${least} to ${most}`);
  }
  return value;
}

/**
 * @param keyOfEnvironment PTN_API_KEY
 * @returns `null` where help is asked for
 * @throws UsageError
 */
export function parseStreamArguments(
  args: readonly string[],
  keyOfEnvironment: string | undefined,
): StreamArguments | null {
  const { values, positionals } = parse(args);
  if (values.help === true) return null;
  const [givenKey = '-', host = 'localhost', port = '8765'] = positionals;
  if (positionals.length > 3) throw new UsageError('there are at most three arguments: KEY, HOST and PORT');
  const apiKey = givenKey === '-' ? (keyOfEnvironment ?? '') : givenKey;
  if (apiKey === '') throw new UsageError('no API key: give it as KEY or in the variable PTN_API_KEY');
  const address = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  if (!URL.canParse(`ws://${address}:1`) || /[/@?#]/.test(host)) {
    throw new UsageError('HOST must be a host name or an IP address');
  }
  const { since, 'rest-port': restPort } = values;
  return {
    apiKey,
    url: `ws://${address}:${wholeNumber('PORT', port, 1, 65_535)}`,
    ...(restPort !== undefined && {
      restUrl: `http://${address}:${wholeNumber('--rest-port', restPort, 1, 65_535)}`,
    }),
    ...(since !== undefined && { since: wholeNumber('--since', since, 0, Number.MAX_SAFE_INTEGER) }),
    isJson: values.json === true,
  };
}

const OPTIONS = {
  json: { type: 'boolean' },
  since: { type: 'string' },
  'rest-port': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** In the words of this program: those of Node name its own options and functions. */
const PROBLEMS: Readonly<Record<string, (option: string) => string>> = {
  ERR_PARSE_ARGS_UNKNOWN_OPTION: (option) =>
    `unknown option ${option}. There are ${Object.keys(OPTIONS)
      .map((name) => `--${name}`)
      .join(', ')}`,
  ERR_PARSE_ARGS_INVALID_OPTION_VALUE: (option) =>
    `${option} is given without its value, or with one that it does not take`,
};

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const problem = PROBLEMS[code];
    if (problem === undefined) throw cause;
    const option = /'(?:-\w, )?(--?[\w-]+)/.exec(message)?.[1] ?? 'an option';
    throw new UsageError(problem(option), { cause });
  }
}
