import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AlertMessage, AnyTransaction, PositionsHead, ServerConfig } from '@ptn-api/runtime';
import { monotonicMs } from '@ptn-api/runtime';
import type { TreeWatcherStats } from '@ptn-api/watch';
import { DocumentsFeed } from './documents-feed.ts';
import { FreshnessReporter } from './freshness-reporter.ts';
import { OrderLogOwner } from './orders/order-log-owner.ts';
import { outputsFile, outputsPlaces } from './outputs-file.ts';
import { OutputsSource } from './positions/outputs-source.ts';
import { PositionsFeed } from './positions/positions-feed.ts';
import { createTaskPool } from './task-pool.ts';
import type { TaskPool } from './task-pool.ts';
import { hasTree } from './positions/miner-folders.ts';
import { MinerStore } from './positions/miner-store.ts';
import { PositionsClock } from './positions/positions-clock.ts';
import { TreeSource } from './positions/tree-source.ts';

/** Two: one may be busy with a large file for seconds, the other keeps the positions fresh. */
const POOL_THREADS = 2;
/** While there is no source of positions, or one of less worth than another, a better one is searched for this often. */
const CHECK_SOURCE_MS = 1000;

export interface FeedOptions {
  readonly config: ServerConfig;
  readonly lastGeneration: number;
  readonly log: Logger;
  /** Hands transactions to the supervisor; resolves when they are on their way. */
  readonly publish: (transactions: readonly AnyTransaction[]) => Promise<void>;
  /** Sends something to the operator's alerts. */
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
  #source: TreeSource | OutputsSource | null = null;
  /** Why no source, or no better one, could be chosen or read; reported once. */
  #failure: Error | null = null;
  readonly #orderLog: OrderLogOwner;
  #isClosed = false;
  #store: MinerStore | null = null;
  #positions: PositionsFeed | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#pool = options.pool ?? createTaskPool(POOL_THREADS);
    const { config, log, publish, alert = () => undefined } = options;
    const store = (): MinerStore | null => this.#store;
    this.#orderLog = new OrderLogOwner({ config, log, pool: this.#pool, publish, alert, store });
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
    return this.#source?.kind === 'tree' ? this.#source.stats() : undefined;
  }

  async #checkedMs(): Promise<number> {
    if (this.#source === null && this.#failure !== null) throw this.#failure;
    // While there is no source, looking for one is all there is to do.
    const checkedMs = (await this.#source?.checkedMs()) ?? monotonicMs();
    return Math.min(checkedMs, this.#store?.unpublishedSinceMs ?? Infinity);
  }

  get #treePath(): string {
    return join(this.#options.config.ptnRoot, 'validation', 'miners');
  }

  get #outputsPlaces(): string[] {
    return outputsPlaces(this.#options.config.ptnRoot);
  }

  #chooseSource(): PositionsHead['source'] {
    const { positionsSource } = this.#options.config;
    if (positionsSource !== 'auto') return positionsSource;
    if (hasTree(this.#treePath)) return 'tree';
    if (outputsFile(this.#options.config.ptnRoot) !== undefined) return 'outputs';
    // As it is the tree that there is, it says why nothing of it is served.
    return hasTree(this.#treePath, 'links') ? 'tree' : 'none';
  }

  async #startPositions(): Promise<void> {
    await this.#useSource(this.#chosenSource());
    // What was published before a source failed is better than nothing.
    if (this.#source === null && this.#failure === null) await this.#publishNoPositions();
    this.#checkSourceLater();
  }

  /** The source that there is; `none` where that is unknown, which is reported once. */
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
      await this.#startSource(source);
      this.#failure = null;
    } catch (error) {
      // Nothing of it may go on beside what is begun next.
      await this.#closeSource();
      this.#sourceFailed(error);
    }
  }

  async #closeSource(): Promise<void> {
    for (const part of this.#sourceParts.reverse()) await part.close();
    this.#sourceParts = [];
    this.#source = null;
  }

  #sourceFailed(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    const isReported = failure.message === this.#failure?.message;
    this.#failure = failure;
    if (isReported) return;
    this.#options.log.error(
      { event: 'source-failed', err: error },
      'the source of the positions cannot be read; it is tried again',
    );
  }

  async #publishNoPositions(): Promise<void> {
    const { log, lastGeneration, publish } = this.#options;
    log.warn(
      { event: 'no-positions', tree: this.#treePath, outputs: this.#outputsPlaces },
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
    const current = this.#source?.kind ?? 'none';
    const isLast = current === 'tree' || current === this.#options.config.positionsSource;
    if (isLast || this.#isClosed) return;
    this.#sourceTimer = setTimeout(() => {
      const chosen = this.#chosenSource();
      this.#switching = (chosen === current ? Promise.resolve() : this.#useSource(chosen)).finally(() => {
        this.#switching = null;
        this.#checkSourceLater();
      });
    }, CHECK_SOURCE_MS);
  }

  async #startSource(kind: 'tree' | 'outputs'): Promise<void> {
    const { config, log, publish, now } = this.#options;
    const clock = new PositionsClock(now);
    const store = new MinerStore({ log, clock, strip: kind === 'tree', orders: () => this.#orderLog.orders });
    const options = { mode: config.watch, store, clock, pool: this.#pool, log };
    const source =
      kind === 'tree'
        ? new TreeSource({ ...options, root: this.#treePath })
        : new OutputsSource({ ...options, ptnRoot: config.ptnRoot });
    const positions = new PositionsFeed({
      ...options,
      source,
      lastGeneration: Math.max(this.#options.lastGeneration, this.#positions?.generation ?? 0),
      publish: (transaction) => publish([transaction]),
    });
    this.#sourceParts.push(positions, source);
    [this.#source, this.#store, this.#positions] = [source, store, positions];
    await source.start();
    await positions.start();
  }
}
