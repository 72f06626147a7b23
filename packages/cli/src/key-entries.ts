import { keyDigest, parseKeyFile } from '@ptn-api/access';
import type { KeyGrant } from '@ptn-api/access';
import { findMember, putMember, removeMember } from '@ptn-api/positions';
import { StartError } from '@ptn-api/runtime';
import type { KeysRequest } from './keys-command.ts';
import { quoted } from './options/options.ts';

/** What `ptn-api keys` cannot do, and why. */
export function refused(detail: string): StartError {
  return new StartError('PTN_ERR_KEYS_REFUSED', { detail });
}

/** As key files and messages have a time. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Where the entry of a user begins. */
function requireUser(file: string, user: string): number {
  const entry = findMember(file, 0, user);
  if (entry === undefined) throw refused(`there is no user ${quoted(user)}; ptn-api keys list shows them`);
  return entry.valueStart;
}

/** What the file grants a user; `undefined` also where the entry cannot be used. */
function grantOf(file: string, user: string): KeyGrant | undefined {
  const parsed = parseKeyFile(file);
  return parsed.ok ? parsed.grants.find(({ userId }) => userId === user) : undefined;
}

/** The file with a new user. */
export function withUser(file: string, request: KeysRequest & { action: 'add' }, key: string): string {
  if (grantOf(file, request.user) !== undefined) {
    throw refused(`there is a user ${quoted(request.user)} already; ptn-api keys rotate gives a new key`);
  }
  const { tier, isHashed, expires, rateLimit, maxConnections } = request;
  const entry = {
    ...(isHashed ? { key_sha256: keyDigest(key) } : { key }),
    tier,
    ...(maxConnections !== undefined && { max_connections: maxConnections }),
    ...(rateLimit !== undefined && { rate_limit: rateLimit }),
    ...(expires !== undefined && { expires }),
  };
  return putMember(file, 0, request.user, inOneLine(entry), '\n  ');
}

/** `{ "tier": 50 }`, as the example file has it. */
function inOneLine(entry: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(entry).map(
    ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  return `{ ${members.join(', ')} }`;
}

/** The new key in place of the old one, in the form the old one had; everything else of the entry stays. */
export function withNewKey(
  file: string,
  { user, graceMs }: KeysRequest & { action: 'rotate' },
  key: string,
  nowMs: number,
): string {
  const start = requireUser(file, user);
  const grant = grantOf(file, user);
  if (grant === undefined) {
    throw refused(
      `the entry of ${quoted(user)} cannot be used (ptn-api keys list says why): ptn-api keys add replaces it`,
    );
  }
  if (grant.expiresMs !== undefined && grant.expiresMs <= nowMs) {
    throw refused(
      `the key of ${quoted(user)} expired on ${iso(grant.expiresMs)}, and so would a new one: revoke it and add it again`,
    );
  }
  const previous = inOneLine({ key_sha256: grant.sha256, expires: iso(nowMs + graceMs) });
  if (file[start] === '"') {
    const entry = `{ "key": ${JSON.stringify(key)}, "tier": 100${graceMs === 0 ? '' : `, "previous": ${previous}`} }`;
    return putMember(file, 0, user, entry);
  }
  // The entry's place does not move: all that changes lies behind its beginning.
  const isHashed = findMember(file, start, 'key') === undefined;
  const changed = putMember(
    file,
    start,
    isHashed ? 'key_sha256' : 'key',
    JSON.stringify(isHashed ? keyDigest(key) : key),
  );
  return graceMs === 0
    ? removeMember(changed, start, 'previous')
    : putMember(changed, start, 'previous', previous, ' ');
}

/** The file without a user. */
export function withoutUser(file: string, user: string): string {
  requireUser(file, user);
  return removeMember(file, 0, user);
}
