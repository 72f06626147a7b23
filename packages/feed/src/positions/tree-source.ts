import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { monotonicMs } from '@ptn-api/runtime';
import type { TaskPool } from '../task-pool.ts';
import type { PositionRead } from '../tasks/read-positions.ts';
import { watchTree } from '../watch/watch-tree.ts';
import type { TreeWatcher, TreeWatcherStats } from '../watch/watch-tree.ts';
import { hotkeyOf, minersIn } from './miner-folders.ts';
import type { MinerStore } from './miner-store.ts';
import type { PositionsClock } from './positions-clock.ts';

/** Files that are read in one task: few enough that an order waits for no long batch. */
const BATCH_FILES = 256;
/** How often it is tried again what could not be read, or was not to be read yet. */
const RETRY_MS = 250;
/** A file that does not read may be half-written: it is tried again, less and less often, for so long. */
const RETRY_FILE_MAX_MS = 10_000;
const RETRY_FILE_FOR_MS = 60_000;

export interface TreeSourceOptions {
  /** `validation/miners` of the validator's folder. */
  readonly root: string;
  readonly mode: 'auto' | 'poll';
  readonly store: MinerStore;
  readonly clock: PositionsClock;
  readonly pool: TaskPool;
  readonly log: Logger;
}

/** Reports to the store what the tree of position files holds. */
export class TreeSource {
  readonly kind = 'tree';
  readonly #options: TreeSourceOptions;
  readonly #pending = new Set<string>();
  readonly #loading = new Set<string>();
  /** Files that do not read: since when (monotonic ms), and when they are tried again. */
  readonly #bad = new Map<string, { readonly sinceMs: number; readonly retryAtMs: number }>();
  readonly #reportedNonFinite = new Set<string>();
  #retry: NodeJS.Timeout | null = null;
  #reading: Promise<void> | null = null;
  #watcher: TreeWatcher | null = null;
  /** When (monotonic ms) what is not read yet was begun with; `null` while all is read. */
  #unreadSinceMs: number | null = null;
  #isFailing = false;
  #sweeps = 0;
  #sweptMs = monotonicMs();
  #isClosed = false;

  constructor(options: TreeSourceOptions) {
    this.#options = options;
  }

  /** Resolves when the store knows of every miner. Changes since the call are not missed. */
  async start(): Promise<void> {
    const { root, mode, store, log } = this.#options;
    this.#watcher = watchTree({
      root,
      mode,
      log,
      onHints: (paths) => {
        for (const path of paths) this.#pending.add(path);
        this.#read();
      },
      onMissed: () => {
        store.minersFound(minersIn(root));
      },
    });
    this.#retry = setInterval(() => {
      this.#tryAgain();
    }, RETRY_MS);
    await this.#watcher.ready;
    store.minersFound(minersIn(root));
  }

  /** What is known of the tree, once it is watched. */
  stats(): TreeWatcherStats | undefined {
    return this.#watcher?.stats();
  }

  /**
   * Up to when (monotonic ms) all changes of the tree were found and read: the last sweep that was done by the last
   * call of this, or before, while what was found is still being read, when that began.
   *
   * @throws Error when the tree cannot be read. One that is not there is read: it holds nothing.
   */
  async checkedMs(): Promise<number> {
    // A root that denies access is left as it was last seen, by every sweep.
    await readdir(this.#options.root).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    const sweeps = this.stats()?.sweeps ?? 0;
    if (sweeps !== this.#sweeps) this.#sweptMs = monotonicMs();
    this.#sweeps = sweeps;
    return Math.min(this.#sweptMs, this.#unreadSinceMs ?? Infinity);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#retry !== null) clearInterval(this.#retry);
    await this.#watcher?.close();
    await this.#reading;
  }

  /** Reads a miner from its folder. Files of it that change meanwhile are read afterwards. */
  async readMiner(hotkey: string): Promise<void> {
    const { root, store, clock, pool } = this.#options;
    this.#loading.add(hotkey);
    try {
      const now = clock.now();
      const { ordersSinceMs } = store;
      const loaded = await pool.run('loadMiner', { root, hotkey, now, strip: true, ordersSinceMs });
      // One that comes and goes between two sweeps where nothing is watched would be shown for good.
      const paths = [...loaded.files, ...loaded.bad].map(({ path }) => path);
      this.#watcher?.learn(paths.filter((path) => store.stampOf(path) === undefined));
      store.minersRead([loaded], now);
      for (const { path } of loaded.files) this.#bad.delete(path);
      for (const { path } of loaded.bad) this.#isBad(path);
      if (loaded.nonFinite > 0) this.#reportNonFinite(hotkey, loaded.nonFinite);
    } finally {
      this.#loading.delete(hotkey);
      this.#read();
    }
  }

  #read(): void {
    if (this.#isClosed) return;
    this.#reading ??= this.#readAll()
      .then(
        () => {
          this.#isFailing = false;
          this.#unreadSinceMs = null;
        },
        (error: unknown) => {
          // Once: as long as the cause stays, every attempt fails alike.
          if (!this.#isFailing) {
            this.#options.log.error(
              { event: 'read-failed', err: error, waiting: this.#pending.size },
              'position files could not be read; they are tried again',
            );
          }
          this.#isFailing = true;
        },
      )
      .finally(() => {
        this.#reading = null;
      });
  }

  /** Of what could not be read no other hint may come. */
  #tryAgain(): void {
    const now = monotonicMs();
    for (const [path, { retryAtMs }] of this.#bad) if (retryAtMs <= now) this.#pending.add(path);
    if (this.#pending.size > 0) this.#read();
  }

  /** Reads what is pending until nothing is left but files of miners that are being loaded, or postponed. */
  async #readAll(): Promise<void> {
    const { root, store, pool } = this.#options;
    for (;;) {
      const batch = this.#takeBatch();
      if (batch.length === 0 || this.#isClosed) return;
      this.#unreadSinceMs ??= monotonicMs();
      try {
        const files = batch.map((path) => ({ path, stamp: store.stampOf(path) }));
        const reads = await pool.run('readPositions', { root, files });
        store.filesRead(reads, this.#unreadSinceMs);
        for (const read of reads) this.#wasRead(read);
      } catch (error) {
        for (const path of batch) this.#pending.add(path);
        throw error;
      }
    }
  }

  /** What may be read now. */
  #takeBatch(): string[] {
    const { store } = this.#options;
    const batch: string[] = [];
    for (const path of this.#pending) {
      if (batch.length === BATCH_FILES) break;
      const hotkey = hotkeyOf(path);
      if (hotkey !== null && (this.#loading.has(hotkey) || store.postponedMs(hotkey) > 0)) continue;
      this.#pending.delete(path);
      if (hotkey !== null) batch.push(path);
    }
    return batch;
  }

  #wasRead(read: PositionRead): void {
    if (read.kind === 'bad') this.#isBad(read.path);
    else this.#bad.delete(read.path);
    if (read.kind === 'read' && read.nonFinite > 0)
      this.#reportNonFinite(hotkeyOf(read.path) ?? '', read.nonFinite);
  }

  /** Tries it again after as long as it has been so: less and less often. */
  #isBad(path: string): void {
    const now = monotonicMs();
    const sinceMs = this.#bad.get(path)?.sinceMs ?? now;
    const retryAtMs =
      now - sinceMs > RETRY_FILE_FOR_MS ? Infinity : now + Math.min(now - sinceMs, RETRY_FILE_MAX_MS);
    this.#bad.set(path, { sinceMs, retryAtMs });
  }

  /** Once for each miner: a validator that writes them does so again and again. */
  #reportNonFinite(hotkey: string, count: number): void {
    if (this.#reportedNonFinite.has(hotkey)) return;
    this.#reportedNonFinite.add(hotkey);
    this.#options.log.warn(
      { event: 'non-finite', path: join('validation/miners', hotkey), count },
      'NaN or Infinity in position files, which are no JSON, are served as null',
    );
  }
}
