import { lstatSync, readdirSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { codeOf, isAbsence, isFresh, stampOf, UNSETTLED } from './file-stamp.ts';

/** Which directories are treated otherwise than the others, by their paths relative to the root. */
export interface DirectoryKinds {
  /** Left alone with all below them: neither watched nor swept. */
  readonly ignored: RegExp;
  /** Few, and their files are written most: each of these is checked in every sweep. */
  readonly busy: RegExp;
}

/** What a sweep found. All paths are relative to the root, which itself is `''`. */
export interface SweepChanges {
  /** Files that appeared, changed or were removed. */
  readonly hints: string[];
  /** Directories that are new, or another one than before at the same path. Parents come before children. */
  readonly directories: string[];
  /** Directories that were removed. */
  readonly removed: string[];
  /** Directories that can no longer be read, with the system's error code. What was known of them is kept. */
  readonly unreadable: { readonly path: string; readonly code: string }[];
  /** Symbolic links that were not there before. They are not followed. */
  readonly links: string[];
}

interface Directory {
  readonly parent: Directory | null;
  /** Which sweep of every {@link RESTAT_SWEEPS} checks the directory's files even if the directory did not change. */
  readonly turn: number;
  readonly isBusy: boolean;
  ino: bigint;
  birthtimeNs: bigint;
  /** As of the last listing; {@link UNKNOWN} makes the next sweep list the directory. */
  ctimeNs: bigint;
  /** Stamps by name. */
  files: Map<string, string>;
  links: Set<string>;
  isRemoved: boolean;
  isUnreadable: boolean;
}

const UNKNOWN = -1n;
/**
 * A file that is written in place leaves its directory as it is. So the files of busy directories are checked in every
 * sweep, and all others once in this many.
 */
const RESTAT_SWEEPS = 20;
/** Changes are handed out in portions of about this size, so that the receiver can start while the sweep goes on. */
const PORTION = 1000;

function noChanges(): SweepChanges {
  return { hints: [], directories: [], removed: [], unreadable: [], links: [] };
}

function sizeOf({ hints, directories, removed, unreadable, links }: SweepChanges): number {
  return hints.length + directories.length + removed.length + unreadable.length + links.length;
}

function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/** The stats of what is at the path itself, or undefined if there is nothing. */
function statsOf(path: string, followLinks: boolean): BigIntStats | undefined {
  try {
    return (followLinks ? statSync : lstatSync)(path, { bigint: true });
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/**
 * What was last seen of a tree: its directories, their files and stamps. A sweep checks every directory and lists
 * those whose time of change says that an entry came, went or was replaced. Symbolic links in it are not followed.
 * All calls are synchronous: this lives in a thread.
 */
export class SweptTree {
  readonly #root: string;
  readonly #kinds: DirectoryKinds;
  /** Parents stand before their children: they are always added first, and a `Map` keeps that order. */
  readonly #directories = new Map<string, Directory>();
  #sweeps = 0;
  #added = 0;
  #files = 0;
  #changes = noChanges();

  constructor(root: string, kinds: DirectoryKinds) {
    this.#root = root;
    this.#kinds = kinds;
    this.#add('', null);
  }

  get directories(): number {
    return this.#directories.get('')?.isRemoved === true ? 0 : this.#directories.size;
  }

  /** As of the end of the last sweep. */
  get files(): number {
    return this.#files;
  }

  /** Compares the tree with what is known of it and takes over what it finds. The first sweep finds everything new. */
  sweep(emit: (changes: SweepChanges) => void): void {
    this.#sweeps += 1;
    this.#files = 0;
    // Directories that are found on the way are added to the map and so met by the same loop.
    for (const [path, directory] of this.#directories) {
      this.#visit(path, directory);
      this.#files += directory.files.size;
      if (sizeOf(this.#changes) >= PORTION) this.#hand(emit);
    }
    this.#hand(emit);
  }

  /**
   * Takes note of directories and files that others came to know. Without it, one that comes and goes between two
   * sweeps would never be reported as removed.
   */
  learn(directories: readonly string[], files: readonly string[]): void {
    for (const path of directories) this.#known(path);
    for (const path of files) {
      const cut = path.lastIndexOf('/');
      const directory = this.#known(cut === -1 ? '' : path.slice(0, cut));
      const name = path.slice(cut + 1);
      if (!directory.files.has(name)) directory.files.set(name, UNSETTLED);
    }
  }

  #hand(emit: (changes: SweepChanges) => void): void {
    if (sizeOf(this.#changes) === 0) return;
    const changes = this.#changes;
    this.#changes = noChanges();
    emit(changes);
  }

  #add(path: string, parent: Directory | null): Directory {
    this.#added += 1;
    const directory: Directory = {
      parent,
      turn: this.#added % RESTAT_SWEEPS,
      isBusy: this.#kinds.busy.test(path),
      ino: UNKNOWN,
      birthtimeNs: UNKNOWN,
      ctimeNs: UNKNOWN,
      files: new Map(),
      links: new Set(),
      isRemoved: false,
      isUnreadable: false,
    };
    this.#directories.set(path, directory);
    return directory;
  }

  #known(path: string): Directory {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf('/');
    return this.#add(path, this.#known(cut === -1 ? '' : path.slice(0, cut)));
  }

  #visit(path: string, directory: Directory): void {
    // A parent that was replaced by a link to a like folder must not be followed: its children went with it.
    if (directory.parent?.isRemoved === true) {
      this.#forget(path, directory);
      return;
    }
    try {
      const absolute = path === '' ? this.#root : `${this.#root}/${path}`;
      const nowMs = Date.now();
      const stats = statsOf(absolute, path === '');
      if (stats?.isDirectory() !== true) {
        this.#forget(path, directory);
        return;
      }
      directory.isRemoved = false;
      // An inode number is used again at once, so the time of birth belongs to the identity.
      if (stats.ino !== directory.ino || stats.birthtimeNs !== directory.birthtimeNs) {
        directory.ino = stats.ino;
        directory.birthtimeNs = stats.birthtimeNs;
        directory.ctimeNs = UNKNOWN;
        this.#changes.directories.push(path);
      }
      if (stats.ctimeNs !== directory.ctimeNs) {
        this.#list(path, absolute, directory);
        // The time is from before the listing: what came since has a later one, unless the tick was the same.
        directory.ctimeNs = isFresh(stats.ctimeNs, nowMs) ? UNKNOWN : stats.ctimeNs;
      } else if (directory.isBusy || directory.turn === this.#sweeps % RESTAT_SWEEPS) {
        this.#restat(path, absolute, directory);
      }
      directory.isUnreadable = false;
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      directory.ctimeNs = UNKNOWN;
      // It was removed before the listing: the next sweep finds that.
      if (isAbsence(error) || directory.isUnreadable) return;
      directory.isUnreadable = true;
      this.#changes.unreadable.push({ path, code });
    }
  }

  #list(path: string, absolute: string, directory: Directory): void {
    const files = new Map<string, string>();
    const links = new Set<string>();
    for (const entry of readdirSync(absolute, { withFileTypes: true })) {
      if (entry.isDirectory()) {
        const child = below(path, entry.name);
        if (!this.#directories.has(child) && !this.#kinds.ignored.test(child)) this.#add(child, directory);
      } else if (entry.isFile()) {
        const stamp = this.#lookAtFile(path, absolute, entry.name, directory.files.get(entry.name));
        if (stamp !== undefined) files.set(entry.name, stamp);
      } else if (entry.isSymbolicLink()) {
        links.add(entry.name);
        if (!directory.links.has(entry.name)) this.#changes.links.push(below(path, entry.name));
      }
    }
    directory.links = links;
    for (const name of directory.files.keys()) {
      if (!files.has(name)) this.#changes.hints.push(below(path, name));
    }
    directory.files = files;
  }

  #restat(path: string, absolute: string, directory: Directory): void {
    for (const [name, known] of directory.files) {
      const stamp = this.#lookAtFile(path, absolute, name, known);
      if (stamp === undefined) {
        this.#changes.hints.push(below(path, name));
        directory.files.delete(name);
      } else if (stamp !== known) {
        directory.files.set(name, stamp);
      }
    }
  }

  /** The file's stamp, or undefined if there is no such file any more. A stamp that is not the known one is hinted. */
  #lookAtFile(path: string, absolute: string, name: string, known: string | undefined): string | undefined {
    const nowMs = Date.now();
    const stats = statsOf(`${absolute}/${name}`, false);
    if (stats?.isFile() !== true) return undefined;
    const stamp = stampOf(stats, nowMs);
    if (stamp !== known || stamp === UNSETTLED) this.#changes.hints.push(below(path, name));
    return stamp;
  }

  #forget(path: string, directory: Directory): void {
    for (const name of directory.files.keys()) this.#changes.hints.push(below(path, name));
    directory.files = new Map();
    if (!directory.isRemoved) this.#changes.removed.push(path);
    directory.isRemoved = true;
    if (path !== '') {
      this.#directories.delete(path);
      return;
    }
    // The root is always checked: it comes back as a new directory.
    directory.ino = UNKNOWN;
  }
}
