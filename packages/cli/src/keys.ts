import { text as readText } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiKeyForm, createApiKey, keyDigest, KeyRing, parseKeyFile } from '@ptn-api/access';
import { counted, printable } from '@ptn-api/protocol';
import type { KeyGrant } from '@ptn-api/access';
import { readKeysInForce } from '@ptn-api/supervisor';
import type { KeysInForce } from '@ptn-api/supervisor';
import { iso, refused, withNewKey, withoutUser, withUser } from './key-entries.ts';
import { keyFilePaths, stateDirPath } from './options/places.ts';
import type { PlaceValues } from './options/places.ts';
import { StartError } from '@ptn-api/runtime';
import { chosenKeyFile, editKeyFile, readKeyFile } from './key-file-edit.ts';
import type { KeysRequest } from './keys-command.ts';

export interface KeysContext {
  readonly places: PlaceValues;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Unix ms. */
  readonly nowMs: number;
}

export interface KeysIo {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Where the key to check may be found; an argument would be seen by every user of the machine. */
const KEY_VARIABLE = 'PTN_API_KEY';
const EXIT_REFUSED = 1;

/**
 * `ptn-api keys`. A new key is all that is written to stdout, so that it can be piped to where it belongs; it is shown
 * this once.
 *
 * @returns the exit code.
 * @throws StartError when the file cannot be used, or what is asked for cannot be done.
 */
export async function runKeys(request: KeysRequest, context: KeysContext, io: KeysIo): Promise<number> {
  const paths = keyFilePaths(context.places, context.cwd);
  const place = (): { path: string; exists: boolean } => chosenKeyFile(paths, inForceOf(context));
  const note = (line: string): void => {
    io.stderr.write(`${printable(line)}\n`);
  };
  const edit = async (
    path: string,
    change: (file: string) => string,
    beforeCommit?: () => Promise<void>,
  ): Promise<void> => {
    const text = await editKeyFile(path, change, beforeCommit);
    await warnIfNotRead(context, path, text, note);
  };
  // First the key is shown, then the file is put in place: a key that is in the file alone could never be shown.
  const showing = (what: string, key: string) => async (): Promise<void> => {
    note(`${what}; it is not shown again:`);
    await printKey(io.stdout, key);
  };
  switch (request.action) {
    case 'add': {
      const { path } = place();
      const key = createApiKey();
      const what = `${request.user} has a key of tier ${request.tier} in ${path}`;
      await edit(path, (file) => withUser(file, request, key), showing(what, key));
      return 0;
    }
    case 'rotate': {
      const path = existing(place());
      const key = createApiKey();
      const end =
        request.graceMs === 0
          ? 'the old one counts no more'
          : `the old one counts until ${iso(context.nowMs + request.graceMs)}`;
      const what = `${request.user} has a new key in ${path}, ${end}`;
      await edit(path, (file) => withNewKey(file, request, key, context.nowMs), showing(what, key));
      return 0;
    }
    case 'revoke': {
      const path = existing(place());
      await edit(path, (file) => withoutUser(file, request.user));
      note(`${request.user} is removed from ${path}`);
      return 0;
    }
    case 'list': {
      const path = existing(place());
      const listed = listedKeys(await readKeyFile(path), context.nowMs, note);
      io.stdout.write(
        request.isJson ? `${JSON.stringify(listed.map(asJson), null, 2)}\n` : asText(listed, context.nowMs),
      );
      return 0;
    }
    case 'check':
      return check(place, context, io);
  }
}

async function printKey(stdout: NodeJS.WritableStream, key: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      stdout.write(`${key}\n`, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  } catch (error) {
    const { message } = error as Error;
    throw refused(`the key cannot be written to standard output (${message}): nothing was changed`);
  }
}

/** Which file counts in a server that runs here; `undefined` where none does, or its folder is not known. */
function inForceOf({ places, cwd }: KeysContext): KeysInForce | undefined {
  try {
    return readKeysInForce(stateDirPath(places, cwd));
  } catch (error) {
    if (error instanceof StartError && error.code === 'PTN_ERR_START_NO_ROOT') return undefined;
    throw error;
  }
}

/** How long a running server may take to read a change. */
const READ_WITHIN_MS = 3000;
const READ_CHECK_MS = 50;

/** Says so when a server runs that does not go by what was written. */
async function warnIfNotRead(
  context: KeysContext,
  path: string,
  text: string,
  note: (line: string) => void,
): Promise<void> {
  const digest = keyDigest(text);
  const deadlineMs = performance.now() + READ_WITHIN_MS;
  for (;;) {
    const inForce = inForceOf(context);
    if (inForce === undefined || inForce.digest === digest) return;
    if (performance.now() > deadlineMs) {
      note(
        `warning: the server that runs (process ${inForce.pid}) has not read this change of ${path}: it goes by ` +
          `${inForce.path}. See its log, or give --api-keys ${inForce.path}`,
      );
      return;
    }
    await sleep(READ_CHECK_MS);
  }
}

function existing({ path, exists }: { path: string; exists: boolean }): string {
  if (exists) return path;
  throw refused(`there is no key file at ${path}; ptn-api keys add makes one`);
}

function describe(grant: KeyGrant, nowMs: number): string {
  const parts = [`tier ${grant.tier}`];
  if (grant.rateLimit !== undefined) parts.push(`${counted(grant.rateLimit, 'request')} per minute`);
  if (grant.maxConnections !== undefined) parts.push(counted(grant.maxConnections, 'stream'));
  if (grant.expiresMs !== undefined) {
    parts.push(`${grant.expiresMs <= nowMs ? 'expired on' : 'expires'} ${iso(grant.expiresMs)}`);
  }
  return parts.join(', ');
}

/** A key of the file, as the list shows it: without the key. */
interface ListedKey {
  readonly grant: KeyGrant;
  /** The key before a rotation. */
  readonly isPrevious: boolean;
}

/** The keys that count or will; with the warnings of the file's reader. */
function listedKeys(file: string, nowMs: number, note: (line: string) => void): ListedKey[] {
  const parsed = parseKeyFile(file);
  if (!parsed.ok) return [];
  for (const warning of parsed.warnings) note(`warning: ${warning}`);
  const seen = new Set<string>();
  return parsed.grants.flatMap((grant) => {
    const isPrevious = seen.has(grant.userId);
    seen.add(grant.userId);
    // A key before a rotation that has ended is of no interest any more.
    return isPrevious && (grant.expiresMs ?? Infinity) <= nowMs ? [] : [{ grant, isPrevious }];
  });
}

/** One line for each key. */
function asText(listed: readonly ListedKey[], nowMs: number): string {
  return listed
    .map(({ grant, isPrevious }) => {
      const what = isPrevious ? `its previous key, ${describe(grant, nowMs)}` : describe(grant, nowMs);
      return `${printable(`${grant.userId}: ${what}`)}\n`;
    })
    .join('');
}

function asJson({ grant, isPrevious }: ListedKey) {
  const { userId, tier, rateLimit, maxConnections, expiresMs } = grant;
  return {
    user: userId,
    tier,
    previous: isPrevious,
    ...(rateLimit !== undefined && { rate_limit: rateLimit }),
    ...(maxConnections !== undefined && { max_connections: maxConnections }),
    ...(expiresMs !== undefined && { expires: iso(expiresMs) }),
  };
}

/** Says what a key is good for: first by its own form, which needs no file, then by the key file. */
async function check(
  place: () => { path: string; exists: boolean },
  { env, nowMs }: KeysContext,
  io: KeysIo,
): Promise<number> {
  const key = (env[KEY_VARIABLE] ?? (await readText(io.stdin))).replace(/\r?\n$/, '');
  const say = (line: string, code: number): number => {
    io.stdout.write(`${printable(line)}\n`);
    return code;
  };
  if (key === '') throw refused(`no key was given: set ${KEY_VARIABLE}, or write it to standard input`);
  if (apiKeyForm(key) === 'damaged') {
    return say('not a whole key: its checksum does not fit, it was mistyped or cut', EXIT_REFUSED);
  }
  const path = existing(place());
  const parsed = parseKeyFile(await readKeyFile(path));
  const grants = parsed.ok ? parsed.grants : [];
  const known = grants.find(({ sha256 }) => sha256 === keyDigest(key));
  if (known === undefined) return say(`unknown: ${path} does not hold this key`, EXIT_REFUSED);
  const isGood = new KeyRing(grants).lookup(key, nowMs) !== undefined;
  return isGood
    ? say(`good: ${known.userId}, ${describe(known, nowMs)}`, 0)
    : say(`expired: ${known.userId}, ${describe(known, nowMs)}`, EXIT_REFUSED);
}
