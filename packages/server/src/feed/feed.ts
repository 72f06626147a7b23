import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ServerConfig } from '../config/config.ts';
import type { AnyTransaction, OrdersHead, PositionsHead } from '../ipc/messages.ts';
import { OrderLogInUseError } from '../order-log/errors.ts';
import { openOrderLogWriter } from '../order-log/open-order-log-writer.ts';
import { openOrderLogReader } from '../order-log/order-log-reader.ts';
import type { OrderLogState } from '../order-log/order-log.ts';
import { DocumentsFeed } from './documents-feed.ts';
import { FileReader } from './file-reader.ts';
import { OrderStream } from './orders/order-stream.ts';
import { pythonSequence } from './orders/python-sequence.ts';
import { OutputsSource } from './outputs-source.ts';
import { PositionsFeed } from './positions-feed.ts';
import { createTaskPool } from './task-pool.ts';
import type { TaskPool } from './task-pool.ts';
import { hasTree, TreeSource } from './tree-source.ts';
import { watchFiles } from './watch/watch-files.ts';

/** Two: one may be busy with a large file for seconds, the other keeps the positions fresh. */
const POOL_THREADS = 2;
/** While there is no source of positions at all, one is looked for this often. */
const LOOK_FOR_SOURCE_MS = 1000;
/** How often a server that takes over looks whether the order log is free, and what is new in it. */
const FOLLOW_MS = 100;
/** A takeover that failed is tried again after so long. */
const RETRY_MS = 5000;

export interface FeedOptions {
  readonly config: ServerConfig;
  readonly lastGeneration: number;
  readonly log: Logger;
  /** Hands transactions to the supervisor; resolves when they are on their way. */
  readonly publish: (transactions: readonly AnyTransaction[]) => Promise<void>;
}

interface Closable {
  close(): Promise<void>;
}

/** Reads the validator's folder and publishes what the workers serve. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #pool: TaskPool;
  readonly #parts: Closable[] = [];
  #lookAgain: NodeJS.Timeout | null = null;
  #orders: OrderStream | null = null;
  #positions: PositionsFeed | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#pool = createTaskPool(POOL_THREADS);
  }

  /** Resolves when everything that is there was published once. */
  async start(): Promise<void> {
    const { config, log, publish } = this.#options;
    const documents = new DocumentsFeed({
      ptnRoot: config.ptnRoot,
      mode: config.watch,
      pool: this.#pool,
      log,
      publish: (transaction) => publish([transaction]),
    });
    this.#parts.push(documents);
    this.#orders = await this.#openOrders();
    await Promise.all([this.#startPositions(), documents.start()]);
    if (this.#orders === null) await this.#followOrders();
    else await this.#orders.begin();
  }

  /**
   * Opens the order log before anything is read, so that no order passes it by.
   *
   * @returns `null` when the server that this one takes over from still writes it.
   * @throws OrderLogInUseError when any other server does.
   */
  async #openOrders(): Promise<OrderStream | null> {
    const { config, log } = this.#options;
    try {
      const startAfter = pythonSequence(config.ptnRoot, log);
      const writer = await openOrderLogWriter({ path: this.#ordersPath, startAfter, log });
      return new OrderStream({
        writer,
        log,
        retention: { maxAgeMs: config.orderRetentionMs, maxCount: config.orderRetentionCount },
        onState: (state) => this.#tellOrders(state),
      });
    } catch (error) {
      if (error instanceof OrderLogInUseError && config.isTakeover) return null;
      throw error;
    }
  }

  async #tellOrders({ epoch, oldest, last }: OrderLogState): Promise<void> {
    const head: OrdersHead = { kind: 'orders-head', epoch, oldest, last, path: this.#ordersPath };
    await this.#options.publish([{ topic: 'orders', reset: false, put: [['head', head]], remove: [] }]);
    this.#positions?.ordersStored();
  }

  /**
   * While the server that this one takes over from still numbers the orders, tells of them as a reader does. It stops
   * when this one is ready; then the log is taken over, and what it had not stored any more is found.
   */
  async #followOrders(): Promise<void> {
    let told = await this.#readOrderLog();
    await this.#tellOrders(told);
    const follow = async (): Promise<void> => {
      this.#orders = await this.#openOrders();
      if (this.#orders === null) {
        const state = await this.#readOrderLog();
        if (state.last !== told.last) await this.#tellOrders(state);
        told = state;
        this.#lookAgain = setTimeout(attempt, FOLLOW_MS);
        return;
      }
      for (const miner of this.#positions?.miners.values() ?? []) {
        for (const position of miner.live.values()) this.#orders.see(miner.hotkey, position);
      }
      await this.#orders.begin();
      this.#options.log.info(
        { event: 'order-log-taken-over' },
        'the order log is written by this server from now on',
      );
    };
    const attempt = (): void => {
      follow().catch((error: unknown) => {
        this.#options.log.error(
          { event: 'order-log-takeover-failed', err: error },
          'the order log could not be taken over',
        );
        this.#lookAgain = setTimeout(attempt, RETRY_MS);
      });
    };
    attempt();
  }

  /** Opened for this look only: the engine does not let one process read and then write the same log. */
  async #readOrderLog(): Promise<OrderLogState> {
    const reader = openOrderLogReader({ path: this.#ordersPath });
    try {
      return reader.state();
    } finally {
      await reader.close();
    }
  }

  get #ordersPath(): string {
    return join(this.#options.config.stateDir, 'orders');
  }

  /** Stops watching and finishes what is being published. */
  async close(): Promise<void> {
    if (this.#lookAgain !== null) clearTimeout(this.#lookAgain);
    for (const part of this.#parts.reverse()) await part.close();
    // After the sources: what they have seen last is stored too.
    await this.#orders?.close();
    await this.#pool.close();
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
    return existsSync(this.#outputsPath) ? 'outputs' : 'none';
  }

  async #startPositions(): Promise<void> {
    const { log, lastGeneration, publish } = this.#options;
    const source = this.#chooseSource();
    log.info({ event: 'positions-source', source }, 'source of the positions');
    if (source === 'none') {
      log.warn(
        { event: 'no-positions', tree: this.#treePath, outputs: this.#outputsPath },
        'neither a tree of positions nor an outputs file is there yet: positions are answered by 404 until one appears',
      );
      const head: PositionsHead = {
        kind: 'positions-head',
        generation: Math.max(lastGeneration + 1, Date.now()),
        source,
        hotkeys: [],
        modifiedMs: Date.now(),
      };
      await publish([{ topic: 'positions', reset: true, put: [['head', head]], remove: [] }]);
      this.#lookForSource();
      return;
    }
    await (source === 'tree' ? this.#startTree() : this.#startOutputs());
  }

  #lookForSource(): void {
    this.#lookAgain = setTimeout(() => {
      if (this.#chooseSource() === 'none') {
        this.#lookForSource();
        return;
      }
      this.#startPositions().catch((error: unknown) => {
        this.#options.log.error(
          { event: 'source-failed', err: error },
          'the positions that appeared were not read',
        );
        this.#lookForSource();
      });
    }, LOOK_FOR_SOURCE_MS);
  }

  async #startTree(): Promise<void> {
    const { config, log } = this.#options;
    const feed = this.#positionsFeed('tree', (hotkey, now) => source.loadMiner(hotkey, now));
    const source: TreeSource = new TreeSource({
      root: this.#treePath,
      orders: () => this.#orders,
      mode: config.watch,
      feed,
      pool: this.#pool,
      log,
    });
    this.#parts.push(feed, source);
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
      orders: () => this.#orders,
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
    this.#parts.push(feed, reader, watcher);
    await reader.read();
    await feed.flush();
    feed.startClock();
  }

  #positionsFeed(
    source: 'tree' | 'outputs',
    loadMiner: ((hotkey: string, now: number) => Promise<void>) | null,
    onClockSetBack?: () => void,
  ): PositionsFeed {
    const { log, lastGeneration, publish } = this.#options;
    this.#positions = new PositionsFeed({
      pool: this.#pool,
      log,
      lastGeneration,
      strip: source === 'tree',
      loadMiner,
      publish: (transaction) => publish([transaction]),
      orderLogState: () => this.#orders?.state() ?? null,
      source,
      ...(onClockSetBack === undefined ? {} : { onClockSetBack }),
    });
    return this.#positions;
  }
}
