import { readdirSync, statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { codeOf, isAbsence, stampOf, UNSETTLED } from './stamp.ts';

/** A file that is written in place has many events: they are told as one. */
const GATHER_MS = 100;
/** How often everything is looked at, in case that events were lost or there are none. */
const POLL_MS = 2000;
/** The stamp of a path where nothing is. */
const NOTHING = 'nothing';

export interface FileWatcherOptions {
  /** Absolute paths of files, or of directories whose files count as one. They and their parents need not exist. */
  readonly paths: readonly string[];
  /** `auto` uses inotify and a poll, `poll` the poll alone. */
  readonly mode: 'auto' | 'poll';
  /** Time between two looks at everything; 2 s by default. */
  readonly pollMs?: number;
  readonly log: Logger;
  /** Told one of `paths` that may have appeared, changed or gone since the call of {@link watchFiles}. */
  readonly onChange: (path: string) => void;
}

export interface FileWatcher {
  close(): Promise<void>;
}

/**
 * Watches a few single files that come, go, and are replaced or written in place. For each the nearest directory above
 * it that exists is watched; a slow poll catches what that misses.
 */
export function watchFiles(options: FileWatcherOptions): FileWatcher {
  return new SmallFileWatcher(options);
}

class SmallFileWatcher implements FileWatcher {
  readonly #options: FileWatcherOptions;
  readonly #stamps = new Map<string, string>();
  readonly #watches = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>();
  readonly #changed = new Set<string>();
  readonly #poll: NodeJS.Timeout;
  #gather: NodeJS.Timeout | null = null;
  readonly #warned = new Set<string>();

  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#setWatches();
    for (const path of options.paths) this.#stamps.set(path, this.#stampOf(path));
    this.#poll = setInterval(() => {
      this.#look();
    }, options.pollMs ?? POLL_MS);
  }

  close(): Promise<void> {
    clearInterval(this.#poll);
    if (this.#gather !== null) clearTimeout(this.#gather);
    for (const { watcher } of this.#watches.values()) watcher.close();
    this.#watches.clear();
    return Promise.resolve();
  }

  /** Tells what changed by its stamp, and what had an event: a change within a tick of the clock may keep the stamp. */
  #look(): void {
    this.#setWatches();
    for (const path of this.#options.paths) {
      const stamp = this.#stampOf(path);
      const isSame = stamp === this.#stamps.get(path) && stamp !== UNSETTLED;
      this.#stamps.set(path, stamp);
      if (!isSame || this.#changed.has(path)) this.#options.onChange(path);
    }
    this.#changed.clear();
  }

  #stampOf(path: string): string {
    const nowMs = Date.now();
    return this.#told(path, () => {
      const stats = statSync(path, { bigint: true });
      const stamp = stampOf(stats, nowMs);
      if (!stats.isDirectory()) return stamp;
      // A file that is written in place leaves its directory as it is. One that cannot be looked at hides no other.
      const files = readdirSync(path).map((name) => {
        const file = join(path, name);
        return this.#told(file, () => stampOf(statSync(file, { bigint: true }), nowMs));
      });
      return files.includes(UNSETTLED) ? UNSETTLED : [stamp, ...files].join();
    });
  }

  /** The stamp, or what stands in its place where it cannot be had. */
  #told(path: string, stamp: () => string): string {
    try {
      return stamp();
    } catch (error) {
      if (isAbsence(error)) return NOTHING;
      this.#warn(path, error);
      return `error ${codeOf(error) ?? ''}`;
    }
  }

  /** Watches the nearest existing directory of every path, and no other. */
  #setWatches(): void {
    if (this.#options.mode === 'poll') return;
    const wanted = new Set<string>();
    for (const path of this.#options.paths) {
      let nearest = nearestDirectory(path);
      let watched: string;
      // Once more after the watch is set: what was made just before it would have no event.
      do {
        watched = nearest.path;
        this.#watch(nearest);
        nearest = nearestDirectory(path);
      } while (nearest.path !== watched);
      wanted.add(watched);
      // Its own events come from within; that it is replaced is an event of its parent.
      if (watched === path) {
        const parent = nearestDirectory(dirname(path));
        this.#watch(parent);
        wanted.add(parent.path);
      }
    }
    for (const [path, { watcher }] of this.#watches) {
      if (wanted.has(path)) continue;
      watcher.close();
      this.#watches.delete(path);
    }
  }

  #watch({ path, identity }: Directory): void {
    const old = this.#watches.get(path);
    if (old?.identity === identity) return;
    this.#watches.delete(path);
    old?.watcher.close();
    try {
      const watcher = watch(path, (_event, name) => {
        this.#happened(path, name);
      });
      watcher.on('error', (error) => {
        this.#warn(path, error);
        watcher.close();
        if (this.#watches.get(path)?.watcher === watcher) this.#watches.delete(path);
      });
      this.#watches.set(path, { watcher, identity });
    } catch (error) {
      if (!isAbsence(error)) this.#warn(path, error);
    }
  }

  /** Many other files live beside the ones that are watched: only events on the way to one of those count. */
  #happened(directory: string, name: string | null): void {
    const entry = join(directory, name ?? '');
    let concerns = name === basename(directory); // so the system tells that the directory itself went
    for (const path of this.#options.paths) {
      if (path === entry || path === directory) this.#changed.add(path);
      if (path === directory || `${path}/`.startsWith(`${entry}/`)) concerns = true;
    }
    if (!concerns) return;
    this.#gather ??= setTimeout(() => {
      this.#gather = null;
      this.#look();
    }, GATHER_MS);
  }

  #warn(path: string, error: unknown): void {
    const key = `${path} ${codeOf(error) ?? ''}`;
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#options.log.warn(
      { event: 'file-watch-failed', path, err: error },
      'a file is watched by polling only',
    );
  }
}

interface Directory {
  readonly path: string;
  /** An inode number is used again at once, so the time of birth belongs to it. */
  readonly identity: string;
}

/** The nearest directory at or above the path; the root of the file system if there is no other. */
function nearestDirectory(path: string): Directory {
  try {
    const stats = statSync(path, { bigint: true });
    if (stats.isDirectory()) return { path, identity: `${stats.ino}:${stats.birthtimeNs}` };
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
  }
  const parent = dirname(path);
  return parent === path ? { path, identity: '' } : nearestDirectory(parent);
}
