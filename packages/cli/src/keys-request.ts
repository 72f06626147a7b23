import { parseKeyExpiry } from '@ptn-api/access';
import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import { quoted } from './options/given-options.ts';

/** What `ptn-api keys` is asked to do. */
export type KeysRequest =
  | {
      readonly action: 'add';
      readonly user: string;
      readonly tier: Tier;
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

interface Problem {
  readonly problem: string;
}

const OPTIONS_OF: Readonly<Record<KeysRequest['action'], readonly string[]>> = {
  add: ['tier', 'hashed', 'expires', 'rate-limit', 'max-connections'],
  list: ['json'],
  rotate: ['grace'],
  revoke: [],
  check: [],
};
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(\d{1,6})([smhdw])$/;
const DEFAULT_GRACE = '24h';
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
function readExpires(text: string, nowMs: number): string | Problem {
  const durationMs = parseDuration(text);
  const expires = durationMs === undefined ? text : new Date(nowMs + durationMs).toISOString();
  const expiresMs = parseKeyExpiry(expires);
  if (expiresMs === undefined) {
    return {
      problem: `--expires is ${quoted(text)}, allowed are dates such as 2030-01-31 or 2030-01-31T12:00:00Z, and durations such as 90d`,
    };
  }
  if (expiresMs <= nowMs) return { problem: `--expires is ${quoted(text)}, which is over already` };
  return expires;
}

function readCount(options: ReadonlyMap<string, string>, name: string): number | undefined | Problem {
  const text = options.get(name);
  if (text === undefined) return undefined;
  return /^[1-9]\d{0,8}$/.test(text)
    ? Number(text)
    : { problem: `--${name} is ${quoted(text)}, allowed is a whole number of at least 1` };
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'problem' in value;
}

/** Reads what stands behind `ptn-api keys`. A key is never among it: every user of the machine sees arguments. */
export function readKeysRequest(
  positional: readonly string[],
  options: ReadonlyMap<string, string>,
  nowMs: number,
): KeysRequest | Problem {
  const [name, user, ...more] = positional;
  const action = (Object.keys(OPTIONS_OF) as KeysRequest['action'][]).find((known) => known === name);
  if (action === undefined) {
    const what = name === undefined ? 'the action is missing' : `unknown action ${quoted(name)}`;
    return { problem: `keys: ${what}, there are ${Object.keys(OPTIONS_OF).join(', ')}` };
  }
  const foreign = [...options.keys()].find((option) => !OPTIONS_OF[action].includes(option));
  if (foreign !== undefined) return { problem: `keys ${action} has no option --${foreign}` };
  if (action === 'list' || action === 'check') {
    if (user === undefined)
      return action === 'list' ? { action, isJson: options.get('json') === 'true' } : { action };
    return {
      problem: `keys ${action} takes nothing more${action === 'check' ? '; the key comes from PTN_API_KEY or standard input' : ''}`,
    };
  }
  if (user === undefined) return { problem: `keys ${action}: the user is missing` };
  if (more.length > 0) return { problem: `keys ${action} takes one user` };
  if (!USER.test(user)) {
    return {
      problem: `the user is ${quoted(user)}, allowed are 1 to 128 characters without control characters`,
    };
  }
  if (action === 'revoke') return { action, user };
  if (action === 'rotate') {
    const grace = options.get('grace') ?? DEFAULT_GRACE;
    const graceMs = parseDuration(grace);
    if (graceMs !== undefined) return { action, user, graceMs };
    return { problem: `--grace is ${quoted(grace)}, allowed are durations such as 30m, 24h, 7d, or 0` };
  }
  return readAdd(user, options, nowMs);
}

function readAdd(user: string, options: ReadonlyMap<string, string>, nowMs: number): KeysRequest | Problem {
  const tierText = options.get('tier');
  const tier = TIERS.find((candidate) => String(candidate) === tierText);
  if (tier === undefined) {
    const given = tierText === undefined ? 'missing' : quoted(tierText);
    return { problem: `--tier is ${given}, allowed are ${TIERS.join(', ')}` };
  }
  const expiresText = options.get('expires');
  const expires = expiresText === undefined ? undefined : readExpires(expiresText, nowMs);
  if (isProblem(expires)) return expires;
  const [rateLimit, maxConnections] = [
    readCount(options, 'rate-limit'),
    readCount(options, 'max-connections'),
  ];
  if (isProblem(rateLimit)) return rateLimit;
  if (isProblem(maxConnections)) return maxConnections;
  const isHashed = options.get('hashed') === 'true';
  return { action: 'add', user, tier, isHashed, expires, rateLimit, maxConnections };
}
