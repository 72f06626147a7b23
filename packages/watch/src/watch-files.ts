import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { watch } from 'chokidar';
import type { FSWatcher } from 'chokidar';
import type { Logger } from 'pino';
import { codeOf, isAbsence, stampOf, UNSETTLED } from './file-stamp.ts';

/** A file that is written in place has many events: they are reported as one. */
const GATHER_MS = 100;
/** How often everything is checked, in case that events were lost or there are none. */
const POLL_MS = 2000;
/** The stamp of a path where nothing is. */
const NOTHING = 'nothing';

export interface FileWatcherOptions {
  /** Absolute paths of files, or of directories whose files count as one. They and their parents need not exist. */
  readonly paths: readonly string[];
  /** `auto` uses the system's events and a poll, `poll` the poll alone. */
  readonly mode: 'auto' | 'poll';
  /** Time between two checks without an event; 2 s by default. */
  readonly pollMs?: number;
  readonly log: Pick<Logger, 'warn'>;
  /** Called with one of `paths` that may have appeared, changed or disappeared since the call of {@link watchFiles}. */
  readonly onChange: (path: string) => void;
}

export interface FileWatcher {
  close(): Promise<void>;
}

/**
 * Watches a few single files that come, go, and are replaced or written in place, with whatever modification time. For
 * each the nearest directory above it that exists is watched. An event only makes everything be checked, as a slow poll
 * does anyway: what counts as a change is a new stamp.
 */
export function watchFiles(options: FileWatcherOptions): FileWatcher {
  const { paths, mode, pollMs = POLL_MS, log, onChange } = options;
  const warned = new Set<string>();
  let gather: NodeJS.Timeout | null = null;
  let events: FSWatcher[] = [];
  let watched = '';
  let isRefused = false;

  function warn(path: string, error: unknown): void {
    const key = `${path} ${codeOf(error) ?? ''}`;
    if (warned.has(key)) return;
    warned.add(key);
    log.warn({ event: 'file-watch-failed', path, err: error }, 'a file is watched by polling only');
  }

  function checkSoon(): void {
    gather ??= setTimeout(() => {
      gather = null;
      check();
    }, GATHER_MS);
  }

  /** What changed since the last check, and what was so fresh then that it may have changed without a trace. */
  function check(): void {
    setWatches();
    for (const path of paths) {
      const stamp = pathStamp(path, warn);
      const isSame = stamp === stamps.get(path) && stamp !== UNSETTLED;
      if (stamp === UNSETTLED) checkSoon();
      stamps.set(path, stamp);
      if (!isSame) onChange(path);
    }
  }

  /** Begins anew where other directories are to be watched, or others at the same paths. */
  function setWatches(): void {
    if (mode === 'poll') return;
    const folders = foldersOf(paths);
    const wanted = [...folders].join();
    if (wanted === watched) return;
    watched = wanted;
    isRefused = false;
    for (const old of events) void old.close();
    events = [...folders.keys()].map(watchFolder);
  }

  /** A watcher of its own: chokidar leaves out a folder that it met within another one. */
  function watchFolder(folder: string): FSWatcher {
    const isWatched = (path: string): boolean => paths.some((file) => isConcerned(file, path));
    return (
      watch(folder, {
        ignoreInitial: true,
        depth: 0,
        ignored: (path) => path !== folder && !isWatched(path),
      })
        .on('raw', (_event, name: string | null, details) => {
          const { watchedPath } = details as { watchedPath: string };
          if (watchedPath !== folder || isWatched(join(folder, name ?? ''))) checkSoon();
        })
        // What happened before the watch was set has no event.
        .on('ready', checkSoon)
        .on('error', (error) => {
          isRefused = true;
          warn(folder, error);
        })
    );
  }

  const stamps = new Map(paths.map((path) => [path, pathStamp(path, warn)]));
  setWatches();
  const poll = setInterval(() => {
    if (isRefused) watched = '';
    check();
  }, pollMs);
  return {
    async close() {
      clearInterval(poll);
      if (gather !== null) clearTimeout(gather);
      await Promise.all(events.map((watcher) => watcher.close()));
    },
  };
}

/** Whether `path` is the file, a directory on the way to it, or in it. */
function isConcerned(file: string, path: string): boolean {
  return `${file}/`.startsWith(`${path}/`) || dirname(path) === file;
}

function pathStamp(path: string, onError: (path: string, error: unknown) => void): string {
  const nowMs = Date.now();
  /** The stamp, or what stands in its place where it cannot be had. */
  const attempt = (at: string, stamp: () => string): string => {
    try {
      return stamp();
    } catch (error) {
      if (isAbsence(error)) return NOTHING;
      onError(at, error);
      return `error ${codeOf(error) ?? ''}`;
    }
  };
  return attempt(path, () => {
    const stats = statSync(path, { bigint: true });
    const stamp = stampOf(stats, nowMs);
    if (!stats.isDirectory()) return stamp;
    // A file that is written in place leaves its directory as it is. One that cannot be checked hides no other.
    const files = readdirSync(path).map((name) => {
      const file = join(path, name);
      return attempt(file, () => stampOf(statSync(file, { bigint: true }), nowMs));
    });
    return files.includes(UNSETTLED) ? UNSETTLED : [stamp, ...files].join();
  });
}

/** The nearest existing directory of every path, by what distinguishes it from another one at its place. */
function foldersOf(paths: readonly string[]): Map<string, string> {
  const folders = new Map<string, string>();
  /** Adds the nearest directory at or above the path; the root of the file system if there is no other. */
  const add = (path: string): string => {
    const parent = dirname(path);
    try {
      const stats = statSync(path, { bigint: true });
      // An inode number is used again at once, so the time of birth belongs to the identity.
      if (stats.isDirectory() || parent === path) {
        folders.set(path, `${stats.ino}:${stats.birthtimeNs}`);
        return path;
      }
    } catch (error) {
      if (codeOf(error) === undefined || parent === path) throw error;
    }
    return add(parent);
  };
  // The events of a directory come from within; that it is replaced is an event of its parent.
  for (const path of paths) if (add(path) === path) add(dirname(path));
  return folders;
}
