import { positionPath, writePosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { answerDashData, answerPositions, rememberUuid, takeSignal } from '@ptn-api/rules';
import type {
  DashDataAnswer,
  FileChanges,
  IntakeGeneration,
  OrderTimestamp,
  PositionsAnswer,
  PositionsRequest,
  SignalAnswer,
  SignalRequest,
  ValidatorState,
} from '@ptn-api/rules';
import type { Elimination } from '@ptn-api/scoring';
import { isFileError } from './durable-folder.ts';
import type { DurableFolder } from './durable-folder.ts';
import { EliminationsFile } from './eliminations-file.ts';
import { MINERS_PATH, loadPositions } from './load-positions.ts';
import { MinerBook } from './miner-book.ts';
import type { Prices } from './prices.ts';
import { readTimestamp } from './timestamp-file.ts';
import { upToDate } from './up-to-date.ts';

/** Python's validators forget a uuid after 1,000 orders of all miners, within a minute when many trade. */
const REMEMBERED_UUIDS = 100_000;

export interface ValidatorOptions {
  readonly hotkey: string;
  readonly generation: IntakeGeneration;
  /** It must have no other writer, but for files that are not the Validator's. */
  readonly folder: DurableFolder;
  readonly prices: Prices;
  readonly newUuid: () => string;
  /** Reports to the operator, in plain words. */
  readonly warn: (text: string) => void;
}

/**
 * A validator's side of the network's rules: takes orders, keeps positions, corrects prices, closes what eliminated
 * miners have. All times are arguments, in Unix ms. What it has answered is in the files of its folder.
 */
export class Validator {
  readonly #options: ValidatorOptions;
  readonly #generation: IntakeGeneration;
  readonly #book = new MinerBook();
  readonly #uuids = new Set<string>();
  readonly #eliminations: EliminationsFile;
  #registered: ReadonlySet<string> = new Set();
  #timestamp: OrderTimestamp = { lastOrderMs: 0 };
  #isStopping = false;
  #isFolderBroken = false;

  constructor(options: ValidatorOptions) {
    this.#options = options;
    this.#generation = { ...options.generation, rememberedUuids: REMEMBERED_UUIDS };
    this.#eliminations = new EliminationsFile(options.folder);
  }

  /** Reads what an earlier run left in the folder. @throws BadFolderError and what the file system throws. */
  load(): void {
    const { folder } = this.#options;
    folder.removeDrafts();
    this.#eliminations.load();
    const positions = [...loadPositions(folder)];
    this.#book.load(positions);
    const orders = positions
      .flatMap((position) => position.orders)
      .sort((a, b) => a.processed_ms - b.processed_ms);
    for (const { order_uuid: uuid } of orders) rememberUuid(this.#uuids, uuid, this.#generation);
    this.#timestamp = readTimestamp(folder, orders.at(-1)?.processed_ms ?? 0);
  }

  get hotkey(): string {
    return this.#options.hotkey;
  }

  /** Who may send orders. */
  get registered(): ReadonlySet<string> {
    return this.#registered;
  }

  setRegistered(hotkeys: Iterable<string>): void {
    this.#registered = new Set(hotkeys);
  }

  /** Who is out, and why; in the order of the file. */
  get eliminated(): ReadonlyMap<string, Elimination> {
    return this.#eliminations.eliminated;
  }

  /** Who has, or had, a position. */
  hotkeys(): readonly string[] {
    return this.#book.hotkeys();
  }

  /** By pair id, in the order in which they were opened. */
  openOf(hotkey: string): ReadonlyMap<string, Position> {
    return this.#book.minerOf(hotkey).openPositions;
  }

  /** A miner's closed positions as they closed, then the open ones. */
  positionsOf(hotkey: string): readonly Position[] {
    return [...this.#book.closedOf(hotkey), ...this.openOf(hotkey).values()];
  }

  /** Refuses all requests from now on. */
  stop(): void {
    this.#isStopping = true;
  }

  /**
   * Takes a signal of a sender that is verified: if it is accepted, the order is on disk when this returns.
   *
   * @throws RangeError where the stored orders of the open position cannot be accounted with the new one.
   */
  submit(request: SignalRequest, nowMs: number): SignalAnswer {
    const { prices, newUuid } = this.#options;
    const { hotkey } = request;
    const miner = this.#book.minerOf(hotkey);
    const result = takeSignal(this.#state(), miner, request, {
      nowMs,
      pricesOf: (pairId) => prices.at(pairId, nowMs),
      slippageFeaturesOf: (pairId) => prices.slippageFeatures(pairId, nowMs),
      newUuid,
    });
    const problem = result.ok ? this.#commit(result.files) : undefined;
    if (problem !== undefined) {
      // The request counts, its order does not.
      this.#book.setMiner(hotkey, { ...result.miner, openPositions: miner.openPositions });
      return {
        ...result.answer,
        successfully_processed: false,
        error_message:
          `Error processing order for [${hotkey}] with error ` +
          `[The validator could not store the order (${problem}). Please try again.]`,
        order_json: '',
      };
    }
    this.#book.setMiner(hotkey, result.miner);
    if (!result.ok) return result.answer;
    this.#timestamp = result.timestamp;
    if (result.accepted !== undefined) {
      const { order, position } = result.accepted;
      rememberUuid(this.#uuids, order.order_uuid, this.#generation);
      this.#book.put(position);
    }
    return result.answer;
  }

  /** A miner's request for its own open positions. */
  answerPositions(request: PositionsRequest, nowMs: number): PositionsAnswer {
    const miner = this.#book.minerOf(request.hotkey);
    const result = answerPositions(this.#state(), miner, request, nowMs);
    this.#book.setMiner(request.hotkey, result.miner);
    return result.answer;
  }

  /** A miner's request for what its dashboard shows. @throws what the file system throws. */
  answerDashData(hotkey: string, nowMs: number): DashDataAnswer {
    const { folder } = this.#options;
    const result = answerDashData(this.#state(), this.#book.minerOf(hotkey), hotkey, nowMs, {
      statistics: () => folder.read('runnable/minerstatistics.json'),
      challengePeriod: () => folder.read('validation/challengeperiod.json'),
      positions: () => this.positionsOf(hotkey),
    });
    this.#book.setMiner(hotkey, result.miner);
    return result.answer;
  }

  /**
   * Takes a miner out: its row is on disk first, then its open positions are closed. One that cannot be written now is
   * closed by the next {@link refresh}.
   *
   * @throws what the file system throws when the row cannot be written; nothing has changed then.
   */
  closeAll(hotkey: string, elimination: Elimination, nowMs: number): void {
    this.#eliminations.add(elimination);
    for (const position of this.openOf(hotkey).values()) this.#bringUpToDate(position, nowMs);
  }

  /**
   * Drops the eliminations of all other hotkeys, and first of all their positions: they are gone for good.
   *
   * @throws what the file system throws; what is not dropped yet is dropped by the next call.
   */
  keepEliminations(hotkeys: ReadonlySet<string>): void {
    for (const hotkey of this.eliminated.keys()) {
      if (hotkeys.has(hotkey)) continue;
      this.#options.folder.removeTree(`${MINERS_PATH}/${hotkey}`);
      this.#book.remove(hotkey);
    }
    this.#eliminations.keepOnly(hotkeys);
  }

  /** Brings all positions up to date, one in a step: see {@link upToDate}. */
  *refresh(nowMs: number): Generator<void> {
    const sinceMs = nowMs - this.#generation.priceCorrectionMs;
    for (const hotkey of this.hotkeys()) {
      const closed = this.#book.closedOf(hotkey);
      const firstOld = closed.findLastIndex(({ close_ms: closeMs }) => (closeMs ?? 0) < sinceMs);
      for (const { position_uuid: uuid } of [
        ...closed.slice(firstOld + 1),
        ...this.openOf(hotkey).values(),
      ]) {
        // Looked up anew: orders come in between.
        const position = this.#book.find(hotkey, uuid);
        if (position !== undefined) this.#bringUpToDate(position, nowMs);
        yield;
      }
    }
  }

  #bringUpToDate(before: Position, nowMs: number): void {
    const { prices } = this.#options;
    const elimination = this.eliminated.get(before.miner_hotkey);
    const updated = upToDate(before, { generation: this.#generation, prices, elimination, nowMs });
    if (!updated.isChanged) return;
    const { position } = updated;
    const hasMoved = position.is_closed_position !== before.is_closed_position;
    const problem = this.#commit({
      write: [{ path: positionPath(position), text: writePosition(position) }],
      remove: hasMoved ? [positionPath(before)] : [],
    });
    if (problem === undefined) this.#book.put(position);
  }

  #state(): ValidatorState {
    return {
      hotkey: this.#options.hotkey,
      generation: this.#generation,
      isStopping: this.#isStopping,
      registeredHotkeys: this.#registered,
      eliminations: this.#eliminations.shown,
      haltedPairs: new Set(),
      processedUuids: this.#uuids,
      timestamp: this.#timestamp,
    };
  }

  /** Makes changes durable; gives what the file system says where it refuses them, and then none is made. */
  #commit(changes: FileChanges): string | undefined {
    if (changes.write.length + changes.remove.length === 0) return undefined;
    const { folder, warn } = this.#options;
    try {
      folder.commit(changes);
    } catch (error) {
      if (!isFileError(error)) throw error;
      if (!this.#isFolderBroken) {
        warn(`${folder.root} cannot be written (${error.message}): orders are refused until it can`);
      }
      this.#isFolderBroken = true;
      return error.code;
    }
    if (this.#isFolderBroken) warn(`${folder.root} can be written again`);
    this.#isFolderBroken = false;
    return undefined;
  }
}
