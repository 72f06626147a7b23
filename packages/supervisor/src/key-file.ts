import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { keyDigest, parseKeyFile } from '@ptn-api/access';
import type { KeyGrant } from '@ptn-api/access';
import type { Logger } from 'pino';
import { StartError } from '@ptn-api/runtime';
import { watchFiles } from '@ptn-api/watch';

/** A change is noticed within this time also where the system reports none (network drives, inotify used up). */
const POLL_MS = 500;
/** What is wrong with the file counts once it has been so for this long: before, the file may be half-written. */
const SETTLE_MS = 100;
/** It is read this often, whether or not something was noticed. */
const RECHECK_MS = 5000;
/** Permissions of the file's group and of all others. */
const OPEN_TO_OTHERS = 0o077;

export interface WatchKeyFileOptions {
  /** Where the file may lie, the preferred place first. */
  readonly paths: readonly [string, ...string[]];
  /** `poll` does without the system's change notices. */
  readonly mode: 'auto' | 'poll';
  /** Time between two checks without an event; half a second by default. */
  readonly pollMs?: number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Called with all keys that count from now on, after the first ones, which {@link KeyFile.grants} holds. */
  readonly onChange: (grants: readonly KeyGrant[]) => void;
  /** Called with the file that counts, at the start and whenever it or its text is another. */
  readonly onFile?: (file: { readonly path: string; readonly digest: string }) => void;
}

/** The key file, while it is watched. */
export interface KeyFile {
  /** The keys that count now. */
  readonly grants: readonly KeyGrant[];
  /** The file they were read from. */
  readonly path: string;
  close(): Promise<void>;
}

/** A file whose keys count. */
interface Good {
  readonly kind: 'good';
  readonly path: string;
  readonly mode: number;
  readonly digest: string;
  readonly grants: readonly KeyGrant[];
  readonly warnings: readonly string[];
}

/** What there is, without the text itself, which holds the keys: only its digest. */
type Look =
  | Good
  | { readonly kind: 'bad'; readonly path: string; readonly detail: string; readonly digest: string }
  | { readonly kind: 'absent' };

/**
 * Reads the key file and goes on watching it, whatever way it is edited: written in place, replaced, removed and made
 * again, with whatever modification time. A file that cannot be used, or is missing, leaves the last good keys in force.
 *
 * If it lies in several places, the preferred one counts; one that appears in a preferred place takes over. One there that
 * cannot be used is reported, and the file in force goes on counting, with all its changes. A file that disappears does
 * not bring back an old one of a less preferred place, as keys revoked since then would be valid again. One that appears
 * or changes there afterwards takes over: the folder was changed, or the operator edits that file now.
 *
 * @throws StartError when there is no file, or none that can be used.
 */
export async function watchKeyFile(options: WatchKeyFileOptions): Promise<KeyFile> {
  const { paths, mode, pollMs = POLL_MS, log, onChange, onFile } = options;

  let first = await look(paths);
  if (first.kind !== 'good') {
    await sleep(SETTLE_MS);
    first = await look(paths);
  }
  if (first.kind === 'absent') {
    const path = paths.find((place) => existsSync(dirname(place))) ?? paths.at(-1) ?? paths[0];
    const others = paths.filter((place) => place !== path).map((place) => `, nor at ${place}`);
    throw new StartError('PTN_ERR_START_NO_KEYS', { path, detail: `no such file${others.join('')}` });
  }
  if (first.kind === 'bad') {
    throw new StartError('PTN_ERR_START_BAD_KEYS', { path: first.path, detail: first.detail });
  }

  let current = first;
  const firstPlace = paths.indexOf(first.path);
  let warnedMode = '';
  let settling: NodeJS.Timeout | undefined;
  /** By place: what is wrong now, since when (`performance.now()`), and whether that was logged. */
  const faults = new Map<string, { what: string; sinceMs: number; isLogged: boolean }>();
  /** Digests of what lay in less preferred places while the file in force was there. */
  const passedOver = new Map<string, string>();

  function report(): void {
    for (const warning of current.warnings) log.warn({ event: 'keys-warning', path: current.path }, warning);
    const fields = { event: 'keys-read', path: current.path, count: current.grants.length };
    if (current.grants.length > 0) log.info(fields, 'keys read');
    else
      log.warn(
        fields,
        'the key file holds no usable key, and every request is refused: ptn-api keys add makes one',
      );
  }

  function warnOfMode(path: string, fileMode: number): void {
    const permissions = (fileMode & 0o777).toString(8).padStart(3, '0');
    if ((fileMode & OPEN_TO_OTHERS) === 0 || warnedMode === `${path} ${permissions}`) return;
    warnedMode = `${path} ${permissions}`;
    log.warn(
      { event: 'keys-file-open', path, mode: permissions },
      `other users of this machine have access to the API keys (mode ${permissions}): run chmod 600 ${path}`,
    );
  }

  function note(path: string, what: string, report: () => void): void {
    const nowMs = performance.now();
    let fault = faults.get(path);
    if (fault?.what !== what) faults.set(path, (fault = { what, sinceMs: nowMs, isLogged: false }));
    if (fault.isLogged) return;
    if (nowMs - fault.sinceMs < SETTLE_MS) {
      clearTimeout(settling);
      settling = setTimeout(checkSoon, SETTLE_MS);
      return;
    }
    fault.isLogged = true;
    report();
  }

  function noteBad({ path, detail, digest }: Look & { kind: 'bad' }): void {
    note(path, `${detail} ${digest}`, () => {
      log.error(
        { event: 'keys-file-bad', path, detail },
        `the key file cannot be used, the last good keys stay in force: ${detail}`,
      );
    });
  }

  async function check(): Promise<void> {
    const place = paths.indexOf(current.path);
    for (const path of paths.slice(0, place)) {
      const seen = await look([path]);
      if (closed) return;
      if (seen.kind === 'good') {
        use(seen);
        return;
      }
      if (seen.kind === 'bad') noteBad(seen);
      else faults.delete(path);
    }
    // First the others: what lies there while the file in force is seen afterwards did not come after it.
    const others = await lookAt(paths.slice(place + 1));
    const seen = await look([current.path], current);
    if (closed) return;
    if (seen.kind === 'good') use(seen);
    else if (seen.kind === 'bad') noteBad(seen);
    if (seen.kind === 'absent') takeChanged(others);
    else passOver(others);
  }

  async function lookAt(places: readonly string[]): Promise<Map<string, Look>> {
    const seen = new Map<string, Look>();
    for (const path of places) seen.set(path, await look([path]));
    return seen;
  }

  function passOver(others: ReadonlyMap<string, Look>): void {
    for (const [path, seen] of others) passedOver.set(path, digestOf(seen));
  }

  /** The file in force is missing: one in a less preferred place counts if it appeared or changed since. */
  function takeChanged(others: ReadonlyMap<string, Look>): void {
    for (const [path, seen] of others) {
      if (seen.kind !== 'good' || seen.digest === passedOver.get(path)) continue;
      use(seen);
      return;
    }
    note(current.path, 'absent', () => {
      log.warn(
        { event: 'keys-file-gone', path: current.path },
        'the key file is missing: the last good keys stay in force',
      );
    });
  }

  function use(seen: Good): void {
    faults.delete(seen.path);
    warnOfMode(seen.path, seen.mode);
    if (seen.digest === current.digest && seen.path === current.path) return;
    const areGrantsNew = !isDeepStrictEqual(seen.grants, current.grants);
    passedOver.set(current.path, current.digest);
    current = seen;
    report();
    if (areGrantsNew) onChange(current.grants);
    onFile?.({ path: current.path, digest: current.digest });
  }

  let closed = false;
  let checking: Promise<void> | null = null;
  let askedCount = 0;

  /** Never two at a time: the older one could end last. What is asked for meanwhile needs another: it may see more. */
  async function checkUntilFresh(): Promise<void> {
    for (let checkedCount = 0; checkedCount !== askedCount;) {
      checkedCount = askedCount;
      await check();
    }
    checking = null;
  }
  function checkSoon(): void {
    if (closed) return;
    askedCount += 1;
    checking ??= checkUntilFresh();
  }

  passOver(await lookAt(paths.slice(firstPlace + 1)));
  warnOfMode(current.path, current.mode);
  report();
  onFile?.({ path: current.path, digest: current.digest });
  const watcher = watchFiles({ paths, mode, pollMs, log, onChange: checkSoon });
  // For what changed between the first check and the first event.
  checkSoon();
  // A file that came and went again between two checks of the watcher may have been read, and has no event.
  const recheck = setInterval(checkSoon, RECHECK_MS);

  return {
    get grants() {
      return current.grants;
    },
    get path() {
      return current.path;
    },
    async close() {
      closed = true;
      clearTimeout(settling);
      clearInterval(recheck);
      await watcher.close();
      await checking;
    },
  };
}

function digestOf(seen: Look): string {
  return seen.kind === 'absent' ? '' : seen.digest;
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * Reads the first of `paths` where there is something.
 *
 * @param known What was seen before: it is not parsed again if it is still the same.
 */
async function look(paths: readonly string[], known?: Good): Promise<Look> {
  for (const path of paths) {
    try {
      // Asked first: to read a named pipe would wait forever.
      const found = await stat(path);
      if (!found.isFile()) return { kind: 'bad', path, detail: 'it is not a file', digest: '' };
      const text = await readFile(path, 'utf8');
      const digest = keyDigest(text);
      if (path === known?.path && digest === known.digest) return { ...known, mode: found.mode };
      const parsed = parseKeyFile(text);
      if (!parsed.ok) return { kind: 'bad', path, detail: parsed.reason, digest };
      return {
        kind: 'good',
        path,
        mode: found.mode,
        digest,
        grants: parsed.grants,
        warnings: parsed.warnings,
      };
    } catch (error) {
      if (isMissing(error)) continue;
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'bad', path, detail: `it cannot be read: ${reason}`, digest: '' };
    }
  }
  return { kind: 'absent' };
}
