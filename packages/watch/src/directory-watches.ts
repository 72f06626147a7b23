import { watch } from 'node:fs';
import type { Logger } from 'pino';
import { codeOf, isAbsence } from './file-stamp.ts';

/** The part of an `fs.FSWatcher` that is used. */
export interface WatchHandle {
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): void;
}

/** As `fs.watch`; throws if the watch cannot be set. */
export type Watch = (path: string, listener: (event: string, name: string | null) => void) => WatchHandle;

export const watchDirectory: Watch = (path, listener) => watch(path, listener);

/** What an operator has to raise when the system refuses a watch, by error code. */
const LIMITS: Readonly<Record<string, string>> = {
  ENOSPC: 'raise fs.inotify.max_user_watches with sysctl and restart',
  EMFILE: 'raise fs.inotify.max_user_instances with sysctl (or the limit of open files) and restart',
};

export interface DirectoryWatchesOptions {
  readonly root: string;
  readonly watch: Watch;
  readonly log: Logger;
  /** Something happened to the entry `name` of a directory; `rename` if it may have been made, removed or replaced. */
  readonly onEvent: (directory: string, name: string, isRename: boolean) => void;
}

/** One inotify watch per directory. Paths are relative to the root, which itself is `''`. */
export class DirectoryWatches {
  readonly #options: DirectoryWatchesOptions;
  readonly #handles = new Map<string, WatchHandle>();
  readonly #unwatched = new Set<string>();
  readonly #warned = new Set<string>();

  constructor(options: DirectoryWatchesOptions) {
    this.#options = options;
  }

  get watched(): number {
    return this.#handles.size;
  }

  /** Directories that have no watch because the system refused it. */
  get unwatched(): number {
    return this.#unwatched.size;
  }

  has(path: string): boolean {
    return this.#handles.has(path) || this.#unwatched.has(path);
  }

  paths(): string[] {
    return [...this.#handles.keys(), ...this.#unwatched];
  }

  /** Watches a directory; one that was watched is watched anew, since it may be another one at the same path. */
  arm(path: string): void {
    const old = this.#handles.get(path);
    this.#handles.delete(path);
    this.#unwatched.delete(path);
    try {
      this.#handles.set(path, this.#open(path));
    } catch (error) {
      this.#refused(path, error);
    }
    // Only now: if it is the same directory, its watch is kept by the system and no event falls between the two.
    old?.close();
  }

  drop(path: string): void {
    this.#unwatched.delete(path);
    this.#handles.get(path)?.close();
    this.#handles.delete(path);
  }

  close(): void {
    for (const handle of this.#handles.values()) handle.close();
    this.#handles.clear();
    this.#unwatched.clear();
  }

  #open(path: string): WatchHandle {
    const { root, watch, onEvent } = this.#options;
    const handle = watch(path === '' ? root : `${root}/${path}`, (event, name) => {
      // An event without a name says nothing that the next sweep does not.
      if (name !== null) onEvent(path, name, event === 'rename');
    });
    handle.on('error', (error) => {
      handle.close();
      if (this.#handles.get(path) !== handle) return;
      this.#handles.delete(path);
      this.#refused(path, error);
    });
    return handle;
  }

  #refused(path: string, error: unknown): void {
    const code = codeOf(error);
    if (code === undefined) throw error;
    // The sweep finds that it is missing, or reports that it cannot be read.
    if (isAbsence(error) || code === 'EACCES' || code === 'EPERM') return;
    this.#unwatched.add(path);
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    this.#options.log.warn(
      { event: 'watch-refused', code, watched: this.#handles.size, err: error },
      `directories below ${this.#options.root} cannot be watched (${code}) and are polled, which costs more and finds ` +
        'changes later: ' +
        (LIMITS[code] ?? 'inotify does not work here'),
    );
  }
}
