import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { monotonicMs } from '@ptn-api/runtime';
import { watchTree } from '@ptn-api/watch';
import type { TreeWatcher, TreeWatcherStats } from '@ptn-api/watch';
import type { TaskPool } from '../task-pool.ts';
import type { PositionRead } from '../tasks/read-positions.ts';
import { DIRECTORY_KINDS, hotkeyOf, minersIn } from './miner-folders.ts';
import type { MinerStore } from './miner-store.ts';
import type { PositionsClock } from './positions-clock.ts';

/** Files that are read in one task: few enough that an order waits for no long batch. */
const BATCH_FILES = 256;
/** Tasks at the same time: while one is busy with a large file, the other reads the orders of others. */
const READINGS = 2;
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
  /** Files that changed, each with when (monotonic ms) that was noticed. */
  readonly #pending = new Map<string, number>();
  readonly #loading = new Set<string>();
  /** Miners with files in a task that is under way, since when: what changes of them meanwhile is read after it. */
  readonly #underWay = new Map<string, number>();
  /** Files that do not read: since when (monotonic ms), and when they are tried again. */
  readonly #bad = new Map<string, { readonly sinceMs: number; readonly retryAtMs: number }>();
  readonly #reportedNonFinite = new Set<string>();
  #retry: NodeJS.Timeout | null = null;
  readonly #readings = new Set<Promise<void>>();
  #watcher: TreeWatcher | null = null;
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
      kinds: DIRECTORY_KINDS,
      mode,
      log,
      onHints: (paths) => {
        for (const path of paths) this.#notice(path);
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
   * call of this, or when the oldest change was noticed that is not read yet.
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
    let checkedMs = Math.min(this.#sweptMs, ...this.#underWay.values());
    for (const noticedMs of this.#pending.values()) checkedMs = Math.min(checkedMs, noticedMs);
    return checkedMs;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#retry !== null) clearInterval(this.#retry);
    await this.#watcher?.close();
    await Promise.all(this.#readings);
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
    if (this.#isClosed || this.#readings.size === READINGS) return;
    const reading = this.#readAll()
      .then(
        () => {
          this.#isFailing = false;
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
        this.#readings.delete(reading);
      });
    this.#readings.add(reading);
  }

  /** Of what could not be read no other hint may come. */
  #tryAgain(): void {
    const now = monotonicMs();
    for (const [path, { retryAtMs }] of this.#bad) if (retryAtMs <= now) this.#notice(path);
    if (this.#pending.size > 0) this.#read();
  }

  /** Reads what is pending until nothing is left but files of miners that are being read, or postponed. */
  async #readAll(): Promise<void> {
    const { root, store, pool } = this.#options;
    for (;;) {
      const batch = this.#takeBatch();
      if (batch.size === 0 || this.#isClosed) return;
      const sinceMs = Math.min(...batch.values());
      const hotkeys = new Set(Array.from(batch.keys(), (path) => hotkeyOf(path) ?? ''));
      for (const hotkey of hotkeys) this.#underWay.set(hotkey, sinceMs);
      try {
        const files = Array.from(batch.keys(), (path) => ({ path, stamp: store.stampOf(path) }));
        const reads = await pool.run('readPositions', { root, files });
        store.filesRead(reads, sinceMs);
        for (const read of reads) this.#wasRead(read);
      } catch (error) {
        for (const [path, noticedMs] of batch) this.#notice(path, noticedMs);
        throw error;
      } finally {
        for (const hotkey of hotkeys) this.#underWay.delete(hotkey);
      }
    }
  }

  #notice(path: string, noticedMs = monotonicMs()): void {
    this.#pending.set(path, Math.min(noticedMs, this.#pending.get(path) ?? Infinity));
  }

  /** What may be read now. */
  #takeBatch(): Map<string, number> {
    const { store } = this.#options;
    const batch = new Map<string, number>();
    for (const [path, noticedMs] of this.#pending) {
      if (batch.size === BATCH_FILES) break;
      const hotkey = hotkeyOf(path);
      if (hotkey !== null && this.#isBusy(hotkey)) continue;
      if (hotkey !== null && store.postponedMs(hotkey) > 0) {
        // It counts as unread from when it need not wait any more.
        this.#pending.set(path, monotonicMs());
        continue;
      }
      this.#pending.delete(path);
      if (hotkey !== null) batch.set(path, noticedMs);
    }
    return batch;
  }

  #isBusy(hotkey: string): boolean {
    return this.#loading.has(hotkey) || this.#underWay.has(hotkey);
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
