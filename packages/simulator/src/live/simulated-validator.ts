import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Elimination } from '@ptn-api/scoring';
import { writePlagiarism } from '@ptn-api/validator-files';
import { writeEliminationsFile, writeSnapshots } from '../files/snapshots.ts';
import { writePositionFile } from '../files/position-file.ts';
import { ValidatorFolder } from '../files/validator-folder.ts';
import { generateHistory } from '../history.ts';
import type { HistoryOptions, World } from '../history.ts';
import { createRandom } from '../random.ts';
import type { Random } from '../random.ts';
import type { Miner } from '../records/miners.ts';
import { positionsOf } from '../records/miners.ts';
import { LimitOrderFiles } from '../vanta/limit-order-files.ts';
import { WrittenHistory } from '../vanta/vanta-ledgers.ts';
import { repeat } from './repeat.ts';
import type { Repeated } from './repeat.ts';
import { TradingFloor } from './trading-floor.ts';
import type { OrderWish, PlacedOrder } from './trading-floor.ts';

/** The version of the validator whose files these are. */
const VALIDATOR_VERSION = '7.0.0';
/** On average one order in so many is followed by an elimination… */
const ORDERS_PER_ELIMINATION = 2000;
/** …as long as so many of the miners are left. */
const ACTIVE_SHARE = 0.75;
/** Orders are placed late by this much at most. */
const MAX_CATCH_UP_MS = 2000;
/** Paths that only a validator makes: the simulated one never writes into the folder of another. */
const VALIDATOR_PATHS = ['validation', 'runnable', 'meta'];

export interface ValidatorOptions extends HistoryOptions {
  /** The folder that becomes PTN_ROOT. It may exist, but no validator may have written to it. */
  readonly root: string;
  /** Orders on average; 0 for none but those asked for. */
  readonly ordersPerSecond: number;
  /** Between refreshes of the returns of open positions; 0 for none. */
  readonly refreshMs: number;
  /** Between writing outputs, statistics, eliminations, checkpoint and the other files; 0 for none. */
  readonly outputsMs: number;
  /** Called once when the validator cannot go on, such as when the disk is full; it places no orders after that. */
  readonly onFault: (error: unknown) => void;
}

/** The folder already holds what a validator wrote. */
export class RootInUseError extends Error {
  override readonly name = 'RootInUseError';
}

/** A validator that makes up its miners and writes PTN_ROOT as the real one does. */
export class SimulatedValidator {
  readonly root: string;
  readonly #options: ValidatorOptions;
  readonly #folder: ValidatorFolder;
  readonly #random: Random;
  readonly #world: World;
  readonly #floor: TradingFloor;
  readonly #limitOrders: LimitOrderFiles;
  readonly #written = new WrittenHistory();
  #repeated: Repeated[] = [];
  #nextOrderMs = 0;

  /**
   * Makes up the history, in memory: nothing is written yet.
   *
   * @throws RootInUseError when a validator has written to the folder already.
   */
  constructor(options: ValidatorOptions) {
    this.root = options.root;
    for (const path of VALIDATOR_PATHS) {
      if (existsSync(join(this.root, path))) {
        throw new RootInUseError(`${this.root} already holds ${path}: choose a new or empty folder`);
      }
    }
    this.#options = options;
    const fileNames = createRandom(`${options.seed}/file-names`);
    this.#folder = new ValidatorFolder(options.root, () => fileNames.uuid());
    this.#random = createRandom(`${options.seed}/live`);
    this.#world = generateHistory(options);
    this.#floor = new TradingFloor(this.#world, this.#folder, this.#random);
    this.#limitOrders = new LimitOrderFiles(this.#folder);
  }

  get miners(): readonly Miner[] {
    return this.#world.miners;
  }

  /** How many positions there are now, open and closed. */
  positionCount(): number {
    return this.#world.miners.reduce((count, miner) => count + miner.closed.length + miner.open.size, 0);
  }

  /**
   * Writes the whole history: positions, outputs, statistics, eliminations, checkpoint, and what the generation has besides.
   *
   * @throws what the file system throws.
   */
  async writeHistory(): Promise<void> {
    this.#folder.write('meta/meta.json', JSON.stringify({ subnet_version: VALIDATOR_VERSION }));
    for (const miner of this.#world.miners) {
      for (const position of positionsOf(miner)) writePositionFile(this.#folder, position);
    }
    this.#writePlagiarism();
    await this.writeSnapshots(this.#options.endMs);
  }

  /** Begins to trade: orders, refreshes and outputs, each in its rhythm. */
  start(): void {
    const { ordersPerSecond, refreshMs, outputsMs, onFault } = this.#options;
    let isFaulty = false;
    const fault = (error: unknown): void => {
      if (isFaulty) return;
      isFaulty = true;
      void this.stop();
      onFault(error);
    };
    const every = (delayMs: () => number, task: () => void | Promise<void>): void => {
      this.#repeated.push(repeat(task, delayMs, fault));
    };
    if (ordersPerSecond > 0) {
      this.#nextOrderMs = Date.now();
      every(
        () => Math.max(this.#nextOrderMs - Date.now(), 0),
        () => {
          this.#placeDueOrders(1000 / ordersPerSecond);
        },
      );
    }
    if (refreshMs > 0)
      every(
        () => refreshMs,
        () => this.refresh(),
      );
    if (outputsMs > 0)
      every(
        () => outputsMs,
        () => this.writeSnapshots(),
      );
  }

  /** Places an order now; it is on disk when this returns. See {@link TradingFloor.placeOrder}. */
  placeOrder(wish: OrderWish = {}): PlacedOrder {
    return this.#floor.placeOrder(Date.now(), wish);
  }

  /** Takes a miner out now, any active one without `hotkey`: closes its positions and adds it to eliminations.json. */
  eliminate(hotkey?: string): Elimination {
    const elimination = this.#floor.eliminate(Date.now(), hotkey);
    writeEliminationsFile(this.#folder, this.#world.miners);
    return elimination;
  }

  /** Rewrites every open position with its return at the present price, without a new order. */
  refresh(): Promise<void> {
    return this.#floor.refresh(() => Date.now());
  }

  /** Writes outputs, tiers, statistics, eliminations, checkpoint and what the generation has besides as of `nowMs`. */
  writeSnapshots(nowMs = Date.now()): Promise<void> {
    return writeSnapshots({
      folder: this.#folder,
      seed: this.#options.seed,
      generation: this.#options.generation,
      market: this.#world.market,
      miners: this.#world.miners,
      limitOrders: this.#limitOrders,
      written: this.#written,
      version: VALIDATOR_VERSION,
      nowMs,
    });
  }

  /** Stops trading; what is being written is finished first. The folder stays. */
  async stop(): Promise<void> {
    const repeated = this.#repeated;
    this.#repeated = [];
    await Promise.all(repeated.map((one) => one.stop()));
  }

  #placeDueOrders(meanMs: number): void {
    const nowMs = Date.now();
    // What fell into a longer halt (a suspended machine, a clock that was set) was never placed.
    this.#nextOrderMs = Math.max(this.#nextOrderMs, nowMs - MAX_CATCH_UP_MS);
    while (this.#nextOrderMs <= nowMs) {
      this.#nextOrderMs += this.#random.exponential(meanMs);
      this.placeOrder();
      const mayEliminate = this.#floor.activeCount() - 1 >= this.#world.miners.length * ACTIVE_SHARE;
      if (mayEliminate && this.#random.chance(1 / ORDERS_PER_ELIMINATION)) this.eliminate();
    }
  }

  /** The validator writes these once a day, one file for each miner that it suspects. */
  #writePlagiarism(): void {
    for (const { hotkey, plagiarism } of this.#world.miners) {
      if (plagiarism === 0) continue;
      const report = {
        event_id: this.#random.uuid(),
        time: this.#options.endMs,
        plagiarist: hotkey,
        overall_score: plagiarism,
        trade_pairs: {},
      };
      this.#folder.write(`validation/plagiarism/miners/${hotkey}.json`, writePlagiarism(report));
    }
  }
}
