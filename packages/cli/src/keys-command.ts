import { parseKeyExpiry } from '@ptn-api/access';
import type { KeyTier } from '@ptn-api/protocol';
import type { Argv } from 'yargs';
import { quoted } from './options/options.ts';
import type { PlaceValues } from './options/places.ts';
import { lastGiven, KEY_TIER_OPTION, yargsOptions } from './options/yargs-options.ts';
import type { Given } from './options/yargs-options.ts';

/** What `ptn-api keys` is asked to do. */
export type KeysRequest =
  | {
      readonly action: 'add';
      readonly user: string;
      readonly tier: KeyTier;
      readonly isHashed: boolean;
      /** As the key file has it. */
      readonly expires: string | undefined;
      readonly rateLimit: number | undefined;
      readonly maxConnections: number | undefined;
    }
  | { readonly action: 'rotate'; readonly user: string; readonly graceMs: number }
  | { readonly action: 'revoke'; readonly user: string }
  | { readonly action: 'list'; readonly isJson: boolean }
  | { readonly action: 'check' };

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(\d{1,6})([smhdw])$/;
const COUNT = /^[1-9]\d{0,8}$/;
/** Not empty, of a readable length, and nothing that would garble a terminal or a log. */
const USER = /^[^\p{C}]{1,128}$/u;

/** ms of `24h`, `90d` and the like; 0 is allowed as `0`. */
function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return count === undefined || unitMs === undefined ? undefined : Number(count) * unitMs;
}

/** When a key ends, as the file has it: a duration counts from now. */
function readExpires(text: string, nowMs: number): string {
  const durationMs = parseDuration(text);
  const expires = durationMs === undefined ? text : new Date(nowMs + durationMs).toISOString();
  const expiresMs = parseKeyExpiry(expires);
  if (expiresMs === undefined) {
    throw new Error(
      `--expires is ${quoted(text)}, allowed are dates such as 2030-01-31 or 2030-01-31T12:00:00Z, and durations such as 90d`,
    );
  }
  if (expiresMs <= nowMs) throw new Error(`--expires is ${quoted(text)}, which is over already`);
  return expires;
}

function readGrace(text: string): number {
  const graceMs = parseDuration(text);
  if (graceMs !== undefined) return graceMs;
  throw new Error(`--grace is ${quoted(text)}, allowed are durations such as 30m, 24h, 7d, or 0`);
}

function readUser(text: string): string {
  if (USER.test(text)) return text;
  throw new Error(`the user is ${quoted(text)}, allowed are 1 to 128 characters without control characters`);
}

function readCount(name: string, text: string): number {
  if (COUNT.test(text)) return Number(text);
  throw new Error(`--${name} is ${quoted(text)}, allowed is a whole number of at least 1`);
}

/** An option of one text, which `read` makes something of. */
function textOption<T>(describe: string, read: (text: string) => T) {
  return { describe, type: 'string', coerce: (given: Given) => read(lastGiven(given)) } as const;
}

function withUser<T>(parser: Argv<T>) {
  return parser.positional('user', {
    describe: 'The name of a customer in the key file',
    type: 'string',
    demandOption: true,
    coerce: readUser,
  });
}

interface KeysCommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Unix ms. */
  readonly nowMs: number;
  /** Gets what is asked for, and where the files are. */
  readonly onRequest: (request: KeysRequest, places: PlaceValues) => void;
}

/** What stands behind `ptn-api keys`. A key is never among it: every user of the machine sees arguments. */
export function keysCommand(parser: Argv, { env, nowMs, onRequest }: KeysCommandContext): Argv {
  const places = (inner: Argv) =>
    inner.options(yargsOptions(['api-keys', 'ptn-root', 'state-dir'], env)) as Argv<PlaceValues>;
  return parser
    .usage(
      '$0 keys ACTION\n\nReads and changes the key file; a running server takes changes over within a second.',
    )
    .command(
      'add <user>',
      'Make a key for a new user and print it, this once',
      (inner) =>
        withUser(places(inner)).options({
          tier: KEY_TIER_OPTION,
          hashed: {
            describe: 'Keep only the digest of the key in the file',
            type: 'boolean',
            default: false,
          },
          expires: textOption('When the key ends: 2030-01-31, 2030-01-31T12:00:00Z, or 90d', (text) =>
            readExpires(text, nowMs),
          ),
          'rate-limit': textOption('Its REST requests per minute', (text) => readCount('rate-limit', text)),
          'max-connections': textOption('Its streams at a time', (text) =>
            readCount('max-connections', text),
          ),
        }),
      (argv) => {
        const { user, hashed: isHashed, expires } = argv;
        const [rateLimit, maxConnections] = [argv['rate-limit'], argv['max-connections']];
        const tier = Number(argv.tier) as KeyTier;
        onRequest({ action: 'add', user, tier, isHashed, expires, rateLimit, maxConnections }, argv);
      },
    )
    .command(
      'list',
      'List the users with what their keys are good for',
      (inner) => places(inner).option('json', { describe: 'List as JSON', type: 'boolean', default: false }),
      (argv) => {
        onRequest({ action: 'list', isJson: argv.json }, argv);
      },
    )
    .command(
      'rotate <user>',
      'Give a user a new key and print it, this once',
      (inner) =>
        withUser(places(inner)).option('grace', {
          ...textOption('How long the old key still counts', readGrace),
          default: '24h',
        }),
      (argv) => {
        onRequest({ action: 'rotate', user: argv.user, graceMs: argv.grace }, argv);
      },
    )
    .command(
      'revoke <user>',
      'Remove a user',
      (inner) => withUser(places(inner)),
      (argv) => {
        onRequest({ action: 'revoke', user: argv.user }, argv);
      },
    )
    .command(
      'check',
      'Say what the key in PTN_API_KEY or standard input is good for',
      // The error of yargs would show what was given, which may be a key.
      (inner) =>
        places(inner).demandCommand(
          0,
          0,
          '',
          'keys check takes nothing more; the key comes from PTN_API_KEY or standard input',
        ),
      (argv) => {
        onRequest({ action: 'check' }, argv);
      },
    )
    .demandCommand(1, 'keys: the action is missing, there are add, list, rotate, revoke and check');
}
