import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AlertMessage, AnyTransaction, PositionsHead, ServerConfig } from '@ptn-api/runtime';
import { monotonicMs, watchFiles } from '@ptn-api/runtime';
import { DocumentsFeed } from './documents-feed.ts';
import { FileReader } from './file-reader.ts';
import { FreshnessReporter } from './freshness-reporter.ts';
import { OrderLogOwner } from './orders/order-log-owner.ts';
import { OutputsSource } from './outputs-source.ts';
import { PositionsFeed } from './positions-feed.ts';
import { createTaskPool } from './task-pool.ts';
import type { TaskPool } from './task-pool.ts';
import { hasTree, TreeSource } from './tree-source.ts';
import type { TreeWatcherStats } from './watch/watch-tree.ts';

/** Two: one may be busy with a large file for seconds, the other keeps the positions fresh. */
const POOL_THREADS = 2;
/** While there is no source of positions, or one of less worth than another, a better one is looked for this often. */
const CHECK_SOURCE_MS = 1000;

export interface FeedOptions {
  readonly config: ServerConfig;
  readonly lastGeneration: number;
  readonly log: Logger;
  /** Hands transactions to the supervisor; resolves when they are on their way. */
  readonly publish: (transactions: readonly AnyTransaction[]) => Promise<void>;
  /** Tells the operator's alerts of something. */
  readonly alert?: (alert: Omit<AlertMessage, 'type'>) => void;
  /** Runs the tasks; by default threads of this process. */
  readonly pool?: TaskPool;
  /** Unix ms. */
  readonly now?: () => number;
}

interface Closable {
  close(): Promise<void>;
}

/** Reads the validator's folder and publishes what the workers serve. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #pool: TaskPool;
  readonly #parts: Closable[] = [];
  #sourceTimer: NodeJS.Timeout | null = null;
  #switching: Promise<void> | null = null;
  /** Of the source in use, in the order in which they were started. */
  #sourceParts: Closable[] = [];
  #source: PositionsHead['source'] = 'none';
  /** What was said of a source that cannot be chosen or read. */
  #reportedFailure: string | null = null;
  readonly #orderLog: OrderLogOwner;
  #isClosed = false;
  #positions: PositionsFeed | null = null;
  #tree: TreeSource | null = null;
  /** Up to when what the source holds was read. While there is none, looking for one is all there is to do. */
  #sourceCheckedMs: () => Promise<number> = () => Promise.resolve(monotonicMs());

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#pool = options.pool ?? createTaskPool(POOL_THREADS);
    const { config, log, publish, alert = () => undefined } = options;
    const positions = (): PositionsFeed | null => this.#positions;
    this.#orderLog = new OrderLogOwner({ config, log, pool: this.#pool, publish, alert, positions });
  }

  /** Resolves when everything that is there was published once. */
  async start(): Promise<void> {
    const { config, log, publish, alert = () => undefined } = this.#options;
    const documents = new DocumentsFeed({
      ptnRoot: config.ptnRoot,
      stateDir: config.stateDir,
      mode: config.watch,
      pool: this.#pool,
      log,
      publish: (transaction) => publish([transaction]),
      onProblem: (name, problem) => {
        alert(
          problem === null
            ? { topic: `file ${name}`, change: 'clear', text: `${name} reads again` }
            : { topic: `file ${name}`, change: 'raise', text: `${problem}: what was read last is served on` },
        );
      },
    });
    this.#parts.push(documents);
    await this.#orderLog.open();
    await Promise.all([this.#startPositions(), documents.start()]);
    await this.#orderLog.begin();
    const heartbeat = new FreshnessReporter({
      checkedMs: () => this.#checkedMs(),
      problems: () => documents.problems(),
      publish,
      log,
    });
    this.#parts.push(heartbeat);
    await heartbeat.start();
  }

  /** Stops watching and finishes what is being published. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#sourceTimer !== null) clearTimeout(this.#sourceTimer);
    await this.#switching;
    for (const part of this.#parts.reverse()) await part.close();
    await this.#closeSource();
    // After the sources: what they have seen last is stored too.
    await this.#orderLog.close();
    await this.#pool.close();
  }

  /** What is known of the tree of positions, where there is one. */
  treeStats(): TreeWatcherStats | undefined {
    return this.#tree?.stats();
  }

  async #checkedMs(): Promise<number> {
    const checkedMs = await this.#sourceCheckedMs();
    return Math.min(checkedMs, this.#positions?.unpublishedSinceMs ?? Infinity);
  }

  get #treePath(): string {
    return join(this.#options.config.ptnRoot, 'validation', 'miners');
  }

  get #outputsPath(): string {
    return join(this.#options.config.ptnRoot, 'validation', 'outputs', 'output.json');
  }

  #chooseSource(): PositionsHead['source'] {
    const { positionsSource } = this.#options.config;
    if (positionsSource !== 'auto') return positionsSource;
    if (hasTree(this.#treePath)) return 'tree';
    if (statSync(this.#outputsPath, { throwIfNoEntry: false }) !== undefined) return 'outputs';
    // As it is the tree that there is, it says why nothing of it is served.
    return hasTree(this.#treePath, 'links') ? 'tree' : 'none';
  }

  async #startPositions(): Promise<void> {
    await this.#useSource(this.#chosenSource());
    // What was published before a source failed is better than nothing.
    if (this.#source === 'none' && this.#reportedFailure === null) await this.#publishNoPositions();
    this.#checkSourceLater();
  }

  /** The source that there is; `none` where that cannot be told, which is reported once. */
  #chosenSource(): PositionsHead['source'] {
    try {
      return this.#chooseSource();
    } catch (error) {
      this.#sourceFailed(error);
      return 'none';
    }
  }

  /** Begins to read a source in place of the one in use, if any; its positions stay until the new ones are published. */
  async #useSource(source: PositionsHead['source']): Promise<void> {
    if (source === 'none') return;
    this.#options.log.info({ event: 'positions-source', source }, 'source of the positions');
    await this.#closeSource();
    try {
      await (source === 'tree' ? this.#startTree() : this.#startOutputs());
      this.#source = source;
      this.#reportedFailure = null;
    } catch (error) {
      // Nothing of it may go on beside what is begun next.
      await this.#closeSource();
      this.#sourceFailed(error);
    }
  }

  async #closeSource(): Promise<void> {
    for (const part of this.#sourceParts.reverse()) await part.close();
    this.#sourceParts = [];
    this.#source = 'none';
    this.#tree = null;
  }

  #sourceFailed(error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    // Nothing is known to be up to date until it can be read.
    if (this.#source === 'none') this.#sourceCheckedMs = () => Promise.reject(cause);
    const { message } = cause;
    if (this.#reportedFailure === message) return;
    this.#reportedFailure = message;
    this.#options.log.error(
      { event: 'source-failed', err: error },
      'the source of the positions cannot be read; it is tried again',
    );
  }

  async #publishNoPositions(): Promise<void> {
    const { log, lastGeneration, publish } = this.#options;
    log.warn(
      { event: 'no-positions', tree: this.#treePath, outputs: this.#outputsPath },
      'neither a tree of positions nor an outputs file is there yet: positions are answered by 404 until one appears',
    );
    const head: PositionsHead = {
      kind: 'positions-head',
      generation: Math.max(lastGeneration + 1, Date.now()),
      source: 'none',
      hotkeys: [],
      modifiedMs: Date.now(),
    };
    await publish([{ topic: 'positions', reset: true, put: [['head', head]], remove: [] }]);
  }

  /** The tree is the better source: it takes the place of an outputs file, also when it appears later. */
  #checkSourceLater(): void {
    const isLast = this.#source === 'tree' || this.#source === this.#options.config.positionsSource;
    if (isLast || this.#isClosed) return;
    this.#sourceTimer = setTimeout(() => {
      const chosen = this.#chosenSource();
      this.#switching = (chosen === this.#source ? Promise.resolve() : this.#useSource(chosen)).finally(
        () => {
          this.#switching = null;
          this.#checkSourceLater();
        },
      );
    }, CHECK_SOURCE_MS);
  }

  async #startTree(): Promise<void> {
    const { config, log } = this.#options;
    const feed = this.#positionsFeed('tree', (hotkey, now) => source.loadMiner(hotkey, now));
    const source: TreeSource = new TreeSource({
      root: this.#treePath,
      orders: () => this.#orderLog.orders,
      mode: config.watch,
      feed,
      pool: this.#pool,
      log,
    });
    this.#sourceParts.push(feed, source);
    this.#tree = source;
    this.#sourceCheckedMs = () => source.checkedMs();
    await source.start();
    feed.startClock();
  }

  async #startOutputs(): Promise<void> {
    const { config, log } = this.#options;
    const feed = this.#positionsFeed('outputs', null, () => {
      source.forget();
      void reader.read();
    });
    const source: OutputsSource = new OutputsSource({
      path: this.#outputsPath,
      orders: () => this.#orderLog.orders,
      feed,
      pool: this.#pool,
      log,
    });
    const reader = new FileReader('validation/outputs/output.json', log, () => source.read());
    const watcher = watchFiles({
      paths: [this.#outputsPath],
      mode: config.watch,
      log,
      onChange: () => void reader.read(),
    });
    this.#sourceParts.push(feed, reader, watcher);
    this.#sourceCheckedMs = async () => {
      // The look goes the way of every reading; the file is not read again while it is the same.
      await reader.read();
      return source.checkedMs;
    };
    await reader.read();
    // A file that does not read just now leaves what the last feed published of it.
    if (feed.order !== null || this.#options.lastGeneration === 0) await feed.flush();
    feed.startClock();
  }

  #positionsFeed(
    source: 'tree' | 'outputs',
    loadMiner: ((hotkey: string, now: number) => Promise<void>) | null,
    onClockSetBack?: () => void,
  ): PositionsFeed {
    const { log, publish, now } = this.#options;
    const lastGeneration = Math.max(this.#options.lastGeneration, this.#positions?.generation ?? 0);
    this.#positions = new PositionsFeed({
      pool: this.#pool,
      log,
      lastGeneration,
      strip: source === 'tree',
      loadMiner,
      publish: (transaction) => publish([transaction]),
      completeTo: () => this.#orderLog.orders?.completeTo() ?? null,
      source,
      ...(now && { now }),
      ...(onClockSetBack && { onClockSetBack }),
    });
    return this.#positions;
  }
}
