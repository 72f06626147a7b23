import { lstatSync, readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import type { Logger } from 'pino';
import { DirectoryWatches, watchDirectory } from './directory-watches.ts';
import type { Watch } from './directory-watches.ts';
import { isAbsence } from './file-stamp.ts';
import { startSweepThread, Sweeper } from './sweeper.ts';
import type { StartSweepThread } from './sweeper.ts';
import type { DirectoryKinds, SweepChanges } from './swept-tree.ts';

/** Beside inotify the sweep only catches what that lost; alone it is what finds a change. */
const SWEEP_MS = { auto: 3000, poll: 750 };

/** Of symbolic links this many are named in the log. */
const MAX_NAMED_LINKS = 10;

export interface TreeWatcherOptions {
  /** The tree's root. It may be missing, appear, vanish and come back. */
  readonly root: string;
  readonly kinds: DirectoryKinds;
  /** `auto` uses inotify and a sweep, `poll` the sweep alone. */
  readonly mode: 'auto' | 'poll';
  /** Time between two sweeps; by default 3 s beside inotify and 0.75 s without. */
  readonly sweepMs?: number;
  readonly log: Logger;
  /**
   * Called with paths, relative to the root, of files that may have appeared, changed or gone missing. Each has to be checked against
   * the disk: a change is hinted at least once, sometimes twice, and a hint may be void.
   */
  readonly onHints: (paths: readonly string[]) => void;
  /** Changes may have been missed: whoever must know compares all it has, and all there is, with the disk. */
  readonly onMissed?: () => void;
}

export interface TreeWatcherStats {
  readonly directories: number;
  readonly watched: number;
  readonly files: number;
  readonly sweeps: number;
  readonly lastSweepMs: number;
  readonly hints: number;
  readonly mode: 'inotify' | 'poll' | 'mixed';
}

export interface TreeWatcher {
  /**
   * Resolves when every change from now on will be hinted; what was there before is not. Rejects if the sweep's thread
   * cannot run. Stays pending if closed before.
   */
  readonly ready: Promise<void>;
  /** Resolves when no watch and no thread is left. */
  close(): Promise<void>;
  stats(): TreeWatcherStats;
  /** Files that the receiver came upon by itself: they are hinted when they are removed. */
  learn(files: readonly string[]): void;
}

/** What tests put in place of the system. */
export interface TreeWatcherSystem {
  readonly watch?: Watch;
  readonly startThread?: StartSweepThread;
}

/**
 * Watches a tree of many directories. Two ways lead to a hint:
 * - inotify, one watch per directory, within the turn of the event loop that reads the event;
 * - a sweep in a thread, every few seconds, that compares the tree with what it last saw. It makes the promise good:
 *   the system drops events without a word when its queue is full (16,384 by default), and watches may run out.
 *
 * So files that are replaced by rename or removed, and those of busy directories however they are written, are found
 * within one sweep in any case; others that are written in place, which only inotify reports at once, within 20 sweeps.
 */
export function watchTree(options: TreeWatcherOptions, system: TreeWatcherSystem = {}): TreeWatcher {
  return new TreeWatch(options, system);
}

class TreeWatch implements TreeWatcher {
  readonly ready: Promise<void>;
  readonly #options: TreeWatcherOptions;
  readonly #sweepMs: number;
  readonly #watches: DirectoryWatches;
  readonly #sweeper: Sweeper;
  /** Entries with events of this turn of the event loop; the value: whether one was a rename. */
  #pending = new Map<string, boolean>();
  #flush: NodeJS.Immediate | null = null;
  #hints = 0;
  /** Those that were warned of. */
  readonly #links = new Set<string>();
  #isClosed = false;

  constructor(options: TreeWatcherOptions, system: TreeWatcherSystem) {
    this.#options = options;
    this.#sweepMs = options.sweepMs ?? SWEEP_MS[options.mode];
    const { root, kinds, log } = options;
    this.#watches = new DirectoryWatches({
      root,
      log,
      watch: system.watch ?? watchDirectory,
      onEvent: (directory, name, isRename) => {
        this.#gather(directory === '' ? name : `${directory}/${name}`, isRename);
      },
    });
    this.#sweeper = new Sweeper({
      root,
      kinds,
      log,
      sweepMs: this.#sweepMs,
      startThread: system.startThread ?? startSweepThread,
      onChanges: (changes) => {
        this.#swept(changes);
      },
      onLost: () => options.onMissed?.(),
      directories: () => this.#watches.paths(),
    });
    this.ready = this.#sweeper.baseline;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#flush !== null) clearImmediate(this.#flush);
    this.#watches.close();
    await this.#sweeper.close();
  }

  learn(files: readonly string[]): void {
    if (files.length > 0 && !this.#isClosed) this.#sweeper.learn([], files);
  }

  stats(): TreeWatcherStats {
    const { watched, unwatched } = this.#watches;
    const last = this.#sweeper.last;
    return {
      directories: last?.directories ?? 0,
      watched,
      files: last?.files ?? 0,
      sweeps: this.#sweeper.sweeps,
      lastSweepMs: last?.tookMs ?? 0,
      hints: this.#hints,
      mode:
        this.#options.mode === 'poll'
          ? 'poll'
          : unwatched === 0
            ? 'inotify'
            : watched === 0
              ? 'poll'
              : 'mixed',
    };
  }

  /**
   * The sweep lists a directory before it is watched here. A change between the two has no event, but the sweep that
   * follows sees it, as it compares with that listing; so the order of the two loses nothing.
   */
  #swept({ hints, directories, removed, unreadable, links }: SweepChanges): void {
    if (this.#options.mode === 'auto') {
      for (const path of removed) this.#watches.drop(path);
      for (const path of directories) this.#watches.arm(path);
      this.#keepPace();
    }
    for (const { path, code } of unreadable) {
      this.#options.log.warn(
        { event: 'directory-unreadable', path, code },
        `a directory below ${this.#options.root} cannot be read (${code}) and is tried again: check its permissions`,
      );
    }
    for (const path of links) this.#warnOfLink(path);
    this.#hint(hints);
  }

  #warnOfLink(path: string): void {
    if (this.#links.has(path) || this.#links.size > MAX_NAMED_LINKS) return;
    this.#links.add(path);
    const isNamed = this.#links.size <= MAX_NAMED_LINKS;
    this.#options.log.warn(
      { event: 'link-not-followed', ...(isNamed && { path }) },
      isNamed
        ? `a symbolic link below ${this.#options.root} is not followed, and what it points to is not served: ` +
            'move the folder itself there, or mount it there (mount --bind)'
        : 'there are more symbolic links, which are not followed either',
    );
  }

  /** Where watches are refused, the sweep has to find changes as it does without inotify. */
  #keepPace(): void {
    this.#sweeper.pace(
      this.#watches.unwatched === 0 ? this.#sweepMs : Math.min(this.#sweepMs, SWEEP_MS.poll),
    );
  }

  /** Runs after all events that can be read now: many events of one file become one hint. */
  #gather(path: string, isRename: boolean): void {
    if (this.#isClosed) return;
    this.#pending.set(path, isRename || this.#pending.get(path) === true);
    this.#flush ??= setImmediate(() => {
      this.#flush = null;
      this.#flushEvents();
    });
  }

  #flushEvents(): void {
    const pending = this.#pending;
    this.#pending = new Map();
    const files: string[] = [];
    const directories: string[] = [];
    for (const [path, isRename] of pending) {
      if (this.#options.kinds.ignored.test(path)) continue;
      const kind = this.#kindOf(path);
      const isKnown = this.#watches.has(path);
      if (kind === 'directory') {
        if (isRename || !isKnown) this.#adopt(path, directories, files);
      } else if (kind === 'file' || (kind === 'nothing' && !isKnown)) {
        // For a known directory that is missing the sweep, which knows its files, gives the hints.
        files.push(path);
      }
    }
    if (directories.length > 0) this.#keepPace();
    // Before the hints: whatever the receiver can come to know must be known to the sweep, to be reported when removed.
    if (directories.length + files.length > 0) this.#sweeper.learn(directories, files);
    this.#hint(files);
  }

  /**
   * Takes a directory that appeared under watch, with all below it. It is listed after its watch is set: what comes
   * before the listing is in it, what comes after has an event.
   */
  #adopt(path: string, directories: string[], files: string[]): void {
    this.#watches.arm(path);
    directories.push(path);
    for (const entry of this.#list(path)) {
      const child = `${path}/${entry.name}`;
      if (this.#options.kinds.ignored.test(child)) continue;
      if (entry.isDirectory()) this.#adopt(child, directories, files);
      else if (entry.isFile()) files.push(child);
    }
  }

  /** Nothing for a directory that cannot be listed: it was removed, or the sweep reports it and tries again. */
  #list(path: string): Dirent[] {
    try {
      return readdirSync(`${this.#options.root}/${path}`, { withFileTypes: true });
    } catch (error) {
      this.#options.log.debug(
        { event: 'directory-not-listed', path, err: error },
        'a new directory was not listed',
      );
      return [];
    }
  }

  /** `other` is what is never read: links, sockets, pipes. */
  #kindOf(path: string): 'file' | 'directory' | 'nothing' | 'other' {
    try {
      const stats = lstatSync(`${this.#options.root}/${path}`, { throwIfNoEntry: false });
      if (stats === undefined) return 'nothing';
      return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
    } catch (error) {
      // Whoever gets the hint meets the same fault and knows what to do about it.
      return isAbsence(error) ? 'nothing' : 'file';
    }
  }

  #hint(paths: readonly string[]): void {
    if (paths.length === 0 || this.#isClosed) return;
    this.#hints += paths.length;
    this.#options.onHints(paths);
  }
}
