import { keyTierAtMost } from '@ptn-api/protocol';
import type { KeyTier } from '@ptn-api/protocol';
import { keyDigest } from './key-ring.ts';
import type { KeyGrant } from './key-ring.ts';
import { memberNames } from './member-names.ts';

/** `reason` and `warnings` are for the operator. They name users and never hold a key, nor any other text of a value. */
export type ParsedKeyFile =
  | { readonly ok: true; readonly grants: readonly KeyGrant[]; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Something of an entry: what it says, and what the operator should know of it. */
type Read<T> = { readonly value: T; readonly note?: string } | { readonly problem: string };

const SHA256_HEX = /^[0-9a-f]{64}$/i;
const NUMBER_TEXT = /^\s*\d+(?:\.\d+)?\s*$/;
const ISO_DATE = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(Z|[+-]\d{2}:\d{2})?$/;

/**
 * Reads the text of a key file: an object of `"user": {"key": "…", "tier": 0|30|50|100|200|500}`, where `"key_sha256"` may
 * stand in place of `"key"`, and `"max_connections"`, `"rate_limit"` (requests per minute) and `"expires"` (ISO date,
 * UTC unless it says otherwise; a date alone is its first moment) are optional. `"user": "key"` means tier 100.
 * `"previous": {"key_sha256": "…", "expires": "…"}` is the key before a rotation: it allows the same until it expires.
 *
 * An entry that cannot be used is skipped with a warning and the others count. A restriction that cannot be read
 * skips its entry too: without it the key would be allowed more than was meant.
 */
export function parseKeyFile(text: string): ParsedKeyFile {
  const json = text.replace(/^\uFEFF/, '');
  let file: unknown;
  try {
    file = JSON.parse(json);
  } catch (error) {
    return { ok: false, reason: `it is not valid JSON${placeOf(error, json)}` };
  }
  if (!isObject(file)) {
    const kind = Array.isArray(file) ? 'a list' : file === null ? 'null' : `a ${typeof file}`;
    return { ok: false, reason: `it must be an object of users and their keys, and it is ${kind}` };
  }

  const warnings: string[] = [];
  const grants = new Map<string, KeyGrant>();
  const names = memberNames(json);
  const lastPlaces = new Map(names.map((userId, place) => [userId, place]));
  for (const [place, userId] of names.entries()) {
    const user = `user ${JSON.stringify(userId)}`;
    if (lastPlaces.get(userId) !== place) {
      warnings.push(`${user} stands more than once: the last entry counts`);
      continue;
    }
    const read = readEntry(userId, file[userId]);
    if ('problem' in read) {
      warnings.push(`${user} is skipped: ${read.problem}`);
      continue;
    }
    if (read.note !== undefined) warnings.push(`${user}: ${read.note}`);
    const earlier = grants.get(read.value.sha256);
    if (earlier !== undefined) {
      warnings.push(
        `${user} has the same key as user ${JSON.stringify(earlier.userId)}: the last entry counts`,
      );
    }
    grants.set(read.value.sha256, read.value);
    const previous = readPrevious(file[userId], read.value);
    if (previous === undefined) continue;
    if ('problem' in previous) warnings.push(`${user}: "previous" is ignored: ${previous.problem}`);
    // A key in use now must not be claimed by an entry that was a key once.
    else if (!grants.has(previous.value.sha256)) grants.set(previous.value.sha256, previous.value);
  }
  return { ok: true, grants: [...grants.values()], warnings };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where the error is, if the engine says so. Its message cannot be passed on: it quotes the text, keys included. */
function placeOf(error: unknown, text: string): string {
  const position = error instanceof SyntaxError ? / at position (\d+)/.exec(error.message)?.[1] : undefined;
  if (position === undefined) return '';
  const lines = text.slice(0, Number(position)).split('\n');
  return ` (line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1})`;
}

function readEntry(userId: string, entry: unknown): Read<KeyGrant> {
  if (typeof entry === 'string') {
    const digest = readKey({ key: entry });
    if ('problem' in digest) return digest;
    return { value: { sha256: digest.value, userId, tier: 100 } };
  }
  if (!isObject(entry)) return { problem: 'its entry is neither an object nor a text' };

  const digest = readKey(entry);
  if ('problem' in digest) return digest;
  const tier = readTier(entry);
  if ('problem' in tier) return tier;
  const maxConnections = readLimit(entry, 'max_connections');
  if ('problem' in maxConnections) return maxConnections;
  const rateLimit = readLimit(entry, 'rate_limit');
  if ('problem' in rateLimit) return rateLimit;
  const expiresMs = readExpires(entry);
  if ('problem' in expiresMs) return expiresMs;

  const notes = [digest.note, tier.note].filter((note) => note !== undefined);
  return {
    value: {
      sha256: digest.value,
      userId,
      tier: tier.value,
      ...(maxConnections.value !== undefined && { maxConnections: maxConnections.value }),
      ...(rateLimit.value !== undefined && { rateLimit: rateLimit.value }),
      ...(expiresMs.value !== undefined && { expiresMs: expiresMs.value }),
    },
    ...(notes.length > 0 && { note: notes.join('; ') }),
  };
}

/** What the key before the last rotation allows. Without an end it would never expire, so then it does not count. */
function readPrevious(entry: unknown, grant: KeyGrant): Read<KeyGrant> | undefined {
  const previous = isObject(entry) ? member(entry, 'previous') : undefined;
  if (previous === undefined) return undefined;
  if (!isObject(previous)) return { problem: 'it is not an object' };
  const digest = readKey(previous);
  if ('problem' in digest) return digest;
  const expires = readExpires(previous);
  if ('problem' in expires) return expires;
  if (expires.value === undefined) return { problem: 'it has no "expires"' };
  const expiresMs = Math.min(expires.value, grant.expiresMs ?? Infinity);
  return { value: { ...grant, sha256: digest.value, expiresMs } };
}

function member(entry: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(entry, name) ? entry[name] : undefined;
}

/** The digest of the entry's key. */
function readKey(entry: Readonly<Record<string, unknown>>): Read<string> {
  const key = member(entry, 'key');
  const digest = member(entry, 'key_sha256');
  if (key !== undefined) {
    if (typeof key !== 'string') return { problem: '"key" is not a text' };
    if (key.trim() === '') return { problem: '"key" is empty' };
    const value = keyDigest(key);
    return digest === undefined
      ? { value }
      : { value, note: '"key_sha256" is ignored, because "key" is there too' };
  }
  if (digest === undefined) return { problem: 'it has neither "key" nor "key_sha256"' };
  if (typeof digest !== 'string' || !SHA256_HEX.test(digest)) {
    return { problem: '"key_sha256" is not a SHA-256 digest of 64 hexadecimal digits' };
  }
  return { value: digest.toLowerCase() };
}

function readTier(entry: Readonly<Record<string, unknown>>): Read<KeyTier> {
  const given = Object.hasOwn(entry, 'tier') ? entry['tier'] : 0;
  const isText = typeof given === 'string' && NUMBER_TEXT.test(given);
  const access = isText ? Number(given) : given;
  if (typeof access !== 'number') return { problem: '"tier" is not a number' };
  if (access < 0) return { problem: '"tier" is below 0' };
  const value = keyTierAtMost(access);
  if (access > 100 && access !== value)
    return { value, note: `"tier" is above ${value} and counts as ${value}` };
  return isText ? { value, note: `"tier" is a text and counts as ${value}` } : { value };
}

function readLimit(
  entry: Readonly<Record<string, unknown>>,
  name: 'max_connections' | 'rate_limit',
): Read<number | undefined> {
  const value = member(entry, name);
  if (value === undefined) return { value: undefined };
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    return { problem: `"${name}" is not a whole number of at least 1` };
  }
  return { value };
}

function readExpires(entry: Readonly<Record<string, unknown>>): Read<number | undefined> {
  const expires = member(entry, 'expires');
  if (expires === undefined) return { value: undefined };
  const value = typeof expires === 'string' ? parseKeyExpiry(expires) : undefined;
  return value === undefined
    ? { problem: '"expires" is not an ISO date such as 2030-01-31 or 2030-01-31T12:00:00Z' }
    : { value };
}

/** Unix ms of an ISO date or time as `"expires"` takes it; `undefined` where it is none. */
export function parseKeyExpiry(expires: string): number | undefined {
  const [, day, time = 'T00:00', zone = 'Z'] = ISO_DATE.exec(expires) ?? [];
  if (day === undefined) return undefined;
  const dayMs = Date.parse(`${day}T00:00Z`);
  const value = Date.parse(`${day}${time}${zone}`);
  if (Number.isNaN(value) || Number.isNaN(dayMs)) return undefined;
  // Date.parse takes 30 February for 2 March.
  return new Date(dayMs).toISOString().startsWith(day) ? value : undefined;
}
