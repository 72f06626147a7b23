import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Order, Position } from '@ptn-api/protocol';
import type { Elimination } from '@ptn-api/scoring';
import { writePositionFile } from '../files/position-file.ts';
import type { ValidatorFolder } from '../files/validator-folder.ts';
import type { World } from '../history.ts';
import type { MarketPair } from '../market/market.ts';
import { isMarketOpen } from '../market/trading-hours.ts';
import type { Random } from '../random.ts';
import { openPosition, refreshed, tradePairOf, withOrder } from '../records/accounting.ts';
import type { Miner } from '../records/miners.ts';
import { eliminationOrder, fillOrder, timeAfter } from '../records/orders.ts';
import { chooseAction, followUpSize, openingSize } from '../records/trading.ts';
import type { Action, OrderSize } from '../records/trading.ts';
import { eliminationFor } from '../statistics/elimination.ts';

/** So many open files are refreshed before others get their turn. */
const REFRESH_BATCH = 50;

/** Which order to place; what is left out is chosen as miners do. */
export interface OrderWish {
  readonly hotkey?: string;
  readonly tradePairId?: string;
  readonly action?: Action;
}

/** An order that was placed and is on disk. */
export interface PlacedOrder {
  readonly action: Action;
  readonly order: Order;
  /** The position as it stands after the order. */
  readonly position: Position;
  /** Its file, relative to the root. */
  readonly path: string;
}

/** Where simulated miners trade after the history: every change is in the position's file when a method returns. */
export class TradingFloor {
  readonly #world: World;
  readonly #folder: ValidatorFolder;
  readonly #random: Random;

  constructor(world: World, folder: ValidatorFolder, random: Random) {
    this.#world = world;
    this.#folder = folder;
    this.#random = random;
  }

  /**
   * Places an order at `nowMs` (Unix ms).
   *
   * @throws RangeError when no miner can do what is wished for: unknown or eliminated, its market closed, a position of
   * that pair already (`open`) or not (any other action) there, no room within the pair's leverage.
   */
  placeOrder(nowMs: number, wish: OrderWish = {}): PlacedOrder {
    const { miner, pair } = this.#choose(nowMs, wish);
    const before = miner.open.get(pair.id);
    const fill = (timeMs: number, size: OrderSize): Order =>
      fillOrder(this.#world.market, this.#random, {
        ...size,
        pair,
        timeMs,
        withSources: true,
        generation: miner.generation,
        before,
      });

    if (before === undefined) {
      const tradePair = tradePairOf(pair.id);
      const order = fill(nowMs, openingSize(this.#random, tradePair, this.#random.chance(0.5) ? 1 : -1));
      const position = openPosition({ ...miner, tradePair, order });
      return { action: 'open', order, position, ...this.#settle(miner, position) };
    }
    const action =
      wish.action === undefined || wish.action === 'open' ? chooseAction(this.#random, before) : wish.action;
    const order = fill(timeAfter(before, nowMs), followUpSize(this.#random, before, action));
    const position = withOrder(before, order);
    return { action, order, position, ...this.#settle(miner, position, before) };
  }

  /**
   * Takes a miner out, any active one without `hotkey`: each of its open positions is closed by an automatic order.
   *
   * @throws RangeError when there is no such active miner.
   */
  eliminate(nowMs: number, hotkey?: string): Elimination {
    const active = this.#active().filter((miner) => hotkey === undefined || miner.hotkey === hotkey);
    if (active.length === 0) throw new RangeError(`no active miner ${hotkey ?? 'is left'}`);
    const miner = this.#random.pick(active);
    miner.elimination = eliminationFor(miner, nowMs);
    for (const before of [...miner.open.values()]) {
      const order = eliminationOrder(before, nowMs);
      this.#settle(miner, withOrder(before, order), before);
    }
    return miner.elimination;
  }

  /** Brings the returns of all open positions up to the present prices and rewrites their files. */
  async refresh(now: () => number): Promise<void> {
    let count = 0;
    for (const miner of this.#world.miners) {
      for (const tradePairId of [...miner.open.keys()]) {
        // Read again: orders are placed while others get their turn.
        const before = miner.open.get(tradePairId);
        const pair = this.#world.pairs.get(tradePairId);
        if (before === undefined || pair === undefined) continue;
        const nowMs = now();
        const position = refreshed(before, this.#world.market.quote(pair, nowMs).price, nowMs);
        this.#settle(miner, position, before);
        // All is lost: the validator closed the position, or will, and takes the miner out.
        if (position.current_return === 0) this.eliminate(nowMs, miner.hotkey);
        count += 1;
        if (count % REFRESH_BATCH === 0) await nextTurn();
      }
    }
  }

  /** Miners that were not taken out. */
  activeCount(): number {
    return this.#active().length;
  }

  #active(): Miner[] {
    return this.#world.miners.filter((miner) => miner.elimination === undefined);
  }

  #choose(nowMs: number, { hotkey, tradePairId, action }: OrderWish): { miner: Miner; pair: MarketPair } {
    const wished = tradePairId === undefined ? undefined : this.#world.pairs.get(tradePairId);
    const pairsOf = (miner: Miner): readonly MarketPair[] => {
      if (tradePairId === undefined) return miner.pairs;
      return wished === undefined ? [] : [wished];
    };
    const active = this.#active();
    const first = this.#random.integer(active.length);
    for (const miner of [...active.slice(first), ...active.slice(0, first)]) {
      if (hotkey !== undefined && miner.hotkey !== hotkey) continue;
      const fitting = pairsOf(miner).filter(
        (pair) =>
          isMarketOpen(pair.assetClass, nowMs) &&
          (action === undefined || miner.open.has(pair.id) === (action !== 'open')),
      );
      if (fitting.length > 0) return { miner, pair: this.#random.pick(fitting) };
    }
    throw new RangeError(
      `no order now for miner ${hotkey ?? '(any)'}, pair ${tradePairId ?? '(any)'}, action ${action ?? '(any)'}`,
    );
  }

  /** Keeps the position and writes its file. */
  #settle(miner: Miner, position: Position, before?: Position): { path: string } {
    const tradePairId = position.trade_pair[0];
    if (position.is_closed_position) {
      miner.open.delete(tradePairId);
      miner.closed.push(position);
    } else {
      miner.open.set(tradePairId, position);
    }
    return { path: writePositionFile(this.#folder, position, before) };
  }
}
