import { readdirSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { monotonicMs } from '@ptn-api/runtime';
import type { OrderSequencer } from './orders/order-sequencer.ts';
import type { PositionsFeed } from './positions-feed.ts';
import type { TaskPool } from './task-pool.ts';
import type { PositionRead } from './tasks/read-positions.ts';
import type { PositionText } from './tasks/settled-blocks.ts';
import { watchTree } from './watch/watch-tree.ts';
import type { TreeWatcher, TreeWatcherStats } from './watch/watch-tree.ts';

/** Files that are read in one task: few enough that an order waits for no long batch. */
const BATCH_FILES = 256;
/** A file that does not read may be half-written: it is looked at again, less and less often, for a minute. */
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 10_000;
const RETRY_FOR_MS = 60_000;

export interface TreeSourceOptions {
  /** `validation/miners` of the validator's folder. */
  readonly root: string;
  readonly mode: 'auto' | 'poll';
  readonly feed: PositionsFeed;
  readonly pool: TaskPool;
  /** Where new orders go; `null` while there is no order log. */
  readonly orders: () => OrderSequencer | null;
  readonly log: Logger;
}

/** The hotkey of a position file's path, or null for a path that is none. */
function hotkeyOf(path: string): string | null {
  const [hotkey, positions, , side, file, ...more] = path.split('/');
  if (hotkey === undefined || file === undefined || more.length > 0 || positions !== 'positions') return null;
  return side === 'open' || side === 'closed' ? hotkey : null;
}

/** The miners' folders, or the symbolic links in their place; none while there is no tree yet. */
function minersIn(root: string, kind: 'folders' | 'links' = 'folders'): string[] {
  try {
    const entries = readdirSync(root, { withFileTypes: true });
    return entries
      .filter((entry) => (kind === 'folders' ? entry.isDirectory() : entry.isSymbolicLink()))
      .map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Whether a tree with at least one miner's positions is there; `links`: whether one is that is made of links alone,
 * which are not followed.
 *
 * @throws Error when that cannot be told.
 */
export function hasTree(root: string, kind: 'folders' | 'links' = 'folders'): boolean {
  return minersIn(root, kind).some(
    (hotkey) => statSync(join(root, hotkey, 'positions'), { throwIfNoEntry: false }) !== undefined,
  );
}

/** Keeps the miners of the feed equal to the tree of position files. */
export class TreeSource {
  readonly #options: TreeSourceOptions;
  readonly #pending = new Set<string>();
  readonly #loading = new Set<string>();
  readonly #retries = new Set<NodeJS.Timeout>();
  #batchRetry: NodeJS.Timeout | null = null;
  readonly #toldNonFinite = new Set<string>();
  #reading: Promise<void> | null = null;
  #watcher: TreeWatcher | null = null;
  /** When (monotonic ms) what is not read yet was begun with; `null` while all is read. */
  #unreadSinceMs: number | null = null;
  /** How many batches failed one after the other. */
  #failures = 0;
  #sweeps = 0;
  #sweptMs = monotonicMs();
  #isClosed = false;

  constructor(options: TreeSourceOptions) {
    this.#options = options;
  }

  /** Resolves when every miner has been read and published. Changes since the call are not missed. */
  async start(): Promise<void> {
    const { root, mode, feed, log } = this.#options;
    this.#watcher = watchTree({
      root,
      mode,
      log,
      onHints: (paths) => {
        for (const path of paths) this.#pending.add(path);
        this.#read();
      },
      // Something that went meanwhile may never be hinted: every miner is read from its folder.
      onError: () => {
        this.#reloadAll();
      },
    });
    await this.#watcher.ready;
    for (const hotkey of minersIn(root)) feed.touch(hotkey);
    await feed.flush();
  }

  #reloadAll(): void {
    const { feed } = this.#options;
    for (const miner of feed.miners.values()) {
      miner.reload();
      feed.touch(miner.hotkey);
    }
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
    for (const timer of this.#retries) clearTimeout(timer);
    if (this.#batchRetry !== null) clearTimeout(this.#batchRetry);
    await this.#watcher?.close();
    await this.#reading;
  }

  /** Reads a miner from its folder. Files of it that change meanwhile are looked at afterwards. */
  async loadMiner(hotkey: string, now: number): Promise<void> {
    const { root, feed, pool, orders } = this.#options;
    this.#loading.add(hotkey);
    try {
      const ordersSinceMs = orders()?.horizonMs ?? Infinity;
      const loaded = await pool.run('loadMiner', { root, hotkey, now, strip: true, ordersSinceMs });
      const miner = feed.miner(hotkey);
      // One that comes and goes between two sweeps where nothing is watched would be shown for good.
      this.#watcher?.learn(
        [...loaded.files, ...loaded.bad].flatMap(({ path }) => (miner.files.has(path) ? [] : [path])),
      );
      miner.replace(loaded, null, now);
      for (const position of [...loaded.recent, ...loaded.live]) orders()?.observe(hotkey, position);
      void orders()?.store();
      for (const { path } of loaded.bad) this.#retry(path, now);
      if (loaded.nonFinite > 0) this.#tellNonFinite(hotkey, loaded.nonFinite);
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
          this.#failures = 0;
          this.#unreadSinceMs = null;
        },
        (error: unknown) => {
          this.#readingFailed(error);
        },
      )
      .finally(() => {
        this.#reading = null;
      });
  }

  /** What was to be read is read later: no other hint may come for it. */
  #readingFailed(error: unknown): void {
    // Once: as long as the cause stays, every attempt fails alike.
    if (this.#failures === 0) {
      this.#options.log.error(
        { event: 'read-failed', err: error, waiting: this.#pending.size },
        'position files could not be read; they are tried again',
      );
    }
    this.#readIn(Math.min(RETRY_MIN_MS * 2 ** this.#failures, RETRY_MAX_MS));
    this.#failures += 1;
  }

  #readIn(delayMs: number): void {
    if (this.#isClosed) return;
    this.#batchRetry ??= setTimeout(() => {
      this.#batchRetry = null;
      this.#read();
    }, delayMs);
  }

  /** Reads what is pending until nothing is left but files of miners that are being loaded. */
  async #readAll(): Promise<void> {
    const { root, feed, pool } = this.#options;
    for (;;) {
      const batch: { path: string; stamp?: string | undefined }[] = [];
      let waitMs = Infinity;
      for (const path of this.#pending) {
        if (batch.length === BATCH_FILES) break;
        const hotkey = hotkeyOf(path);
        if (hotkey !== null && this.#loading.has(hotkey)) continue;
        const postponedMs = hotkey === null ? 0 : feed.postponedMs(hotkey);
        if (postponedMs > 0) {
          waitMs = Math.min(waitMs, postponedMs);
          continue;
        }
        this.#pending.delete(path);
        if (hotkey !== null) batch.push({ path, stamp: feed.miners.get(hotkey)?.files.get(path)?.stamp });
      }
      if (batch.length === 0 || this.#isClosed) {
        if (waitMs < Infinity) this.#readIn(waitMs);
        return;
      }
      this.#unreadSinceMs ??= monotonicMs();
      try {
        const reads = await pool.run('readPositions', { root, files: batch });
        for (const read of reads) this.#apply(read);
      } catch (error) {
        for (const { path } of batch) this.#pending.add(path);
        throw error;
      }
      void this.#options.orders()?.store();
    }
  }

  #apply(read: PositionRead): void {
    const { feed } = this.#options;
    const hotkey = hotkeyOf(read.path);
    if (hotkey === null) return;
    const known = feed.miners.has(hotkey);
    if (!known && read.kind === 'gone') return;
    const now = feed.now();
    const isTaken = feed.miner(hotkey).apply(read, now);
    if (isTaken || !known) feed.touch(hotkey, this.#unreadSinceMs ?? monotonicMs());
    // Only what is shown is streamed: a claim to be complete must hold for it.
    if (isTaken && read.kind === 'read') this.#observe(hotkey, read.position);
    if (read.kind === 'read') feed.spend(hotkey, read.position.text.length);
    if (read.kind === 'read' && read.nonFinite > 0) this.#tellNonFinite(hotkey, read.nonFinite);
    if (read.kind === 'bad') this.#retry(read.path, feed.miner(hotkey).bad.get(read.path)?.sinceMs ?? now);
  }

  /** Where the order log cannot say whether an order is new, the miner is read again: the file itself will be the same. */
  #observe(hotkey: string, position: PositionText): void {
    const { feed, orders } = this.#options;
    try {
      orders()?.observe(hotkey, position);
    } catch (error) {
      feed.miner(hotkey).reload();
      feed.touch(hotkey);
      throw error;
    }
  }

  #retry(path: string, sinceMs: number): void {
    const badForMs = this.#options.feed.now() - sinceMs;
    if (badForMs > RETRY_FOR_MS || this.#isClosed) return;
    const delayMs = Math.min(Math.max(badForMs, RETRY_MIN_MS), RETRY_MAX_MS);
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.#pending.add(path);
      this.#read();
    }, delayMs);
    this.#retries.add(timer);
  }

  /** Once for each miner: a validator that writes them does so again and again. */
  #tellNonFinite(hotkey: string, count: number): void {
    if (this.#toldNonFinite.has(hotkey)) return;
    this.#toldNonFinite.add(hotkey);
    this.#options.log.warn(
      { event: 'non-finite', path: join('validation/miners', hotkey), count },
      'NaN or Infinity in position files, which are no JSON, are served as null',
    );
  }
}
