import type { Order, Position } from '@ptn-api/protocol';
import type { Market, MarketPair } from '../market/market.ts';
import { tradingMsAt } from '../market/trading-hours.ts';
import type { Random } from '../random.ts';
import { openPosition, refreshed, tradePairOf, withOrder } from './accounting.ts';
import type { Liquidation } from './liquidation.ts';
import type { Miner } from './miners.ts';
import { eliminationOrder, fillOrder } from './orders.ts';
import { share } from './share.ts';
import { planTimeline } from './timeline.ts';
import type { PositionPlan } from './timeline.ts';
import { chooseAdjustment, followUpSize, openingSize } from './trading.ts';
import type { OrderSize } from './trading.ts';

/** Older orders have lost their price sources; the validator drops them from its outputs after 7 days. */
const SOURCES_KEPT_MS = 8 * 86_400_000;
const MIN_TRADING_MS = 6 * 3_600_000;
const FLIP_SHARE = 0.1;

/** Fills in the positions that a miner had in the past. */
export class PastTrading {
  readonly #market: Market;
  readonly #miner: Miner;
  readonly #random: Random;
  readonly #nowMs: number;

  constructor(market: Market, miner: Miner, random: Random, nowMs: number) {
    this.#market = market;
    this.#miner = miner;
    this.#random = random;
    this.#nowMs = nowMs;
  }

  /** `count` positions, of these pairs, until `untilMs`. Some stay open. */
  trade(pairs: readonly MarketPair[], count: number, untilMs: number): void {
    const { joinedMs: fromMs, holdingMs } = this.#miner;
    // A market that was hardly open since the miner joined has no place for its share of the positions.
    const traded = pairs.filter(
      ({ assetClass }) => tradingMsAt(assetClass, untilMs) - tradingMsAt(assetClass, fromMs) > MIN_TRADING_MS,
    );
    const counts = share(
      count,
      traded.map(() => this.#random.between(0.3, 1)),
    );
    traded.forEach((pair, index) => {
      const { assetClass } = pair;
      const options = {
        assetClass,
        count: counts[index] ?? 0,
        fromMs,
        untilMs,
        nowMs: this.#nowMs,
        holdingMs,
      };
      for (const plan of planTimeline(this.#random, options)) this.#keep(this.#follow(pair, plan));
    });
  }

  /** One position that lost everything. */
  lose({ pair, leverage, openMs, lostMs }: Liquidation): void {
    const type = leverage > 0 ? 'LONG' : 'SHORT';
    const tradePair = tradePairOf(pair.id);
    const opened = openPosition({
      ...this.#miner,
      tradePair,
      order: this.#fill(pair, openMs, { type, leverage }),
    });
    const more = this.#fill(pair, lostMs, { type, leverage: leverage > 0 ? 0.1 : -0.1 }, opened);
    const lost = withOrder(opened, more);
    // Validators since 2026 add no order of their own at that moment, but take the miner out.
    this.#keep(lost.is_closed_position ? lost : withOrder(lost, eliminationOrder(lost, lostMs)));
  }

  /** Closes what is open as the validator does when it takes the miner out. */
  closeAll(timeMs: number): void {
    for (const [tradePairId, position] of this.#miner.open) {
      this.#miner.open.delete(tradePairId);
      this.#keep(withOrder(position, eliminationOrder(position, timeMs)));
    }
  }

  /** Brings the returns of what is open up to the end of the history. */
  refresh(pairs: ReadonlyMap<string, MarketPair>): void {
    for (const [tradePairId, position] of this.#miner.open) {
      const pair = pairs.get(tradePairId);
      if (pair === undefined) throw new RangeError(`no market for ${tradePairId}`);
      const { price } = this.#market.quote(pair, this.#nowMs);
      this.#miner.open.set(tradePairId, refreshed(position, price, this.#nowMs));
    }
  }

  #keep(position: Position): void {
    if (position.is_closed_position) this.#miner.closed.push(position);
    else this.#miner.open.set(position.trade_pair[0], position);
  }

  #fill(pair: MarketPair, timeMs: number, size: OrderSize, before?: Position): Order {
    const withSources = timeMs > this.#nowMs - SOURCES_KEPT_MS;
    return fillOrder(this.#market, this.#random, {
      ...size,
      pair,
      timeMs,
      withSources,
      generation: this.#miner.generation,
      before,
    });
  }

  /** The direction in which the miner opens: it sees the end coming as often as its skill says. */
  #direction(pair: MarketPair, openMs: number, endMs: number): 1 | -1 {
    const rises = this.#market.quote(pair, endMs).price > this.#market.quote(pair, openMs).price;
    return rises === this.#random.chance(this.#miner.skill) ? 1 : -1;
  }

  /** One position from its first order to its last. */
  #follow(pair: MarketPair, { openMs, laterMs, staysOpen }: PositionPlan): Position {
    const tradePair = tradePairOf(pair.id);
    const direction = this.#direction(pair, openMs, laterMs.at(-1) ?? this.#nowMs);
    const order = this.#fill(pair, openMs, openingSize(this.#random, tradePair, direction));
    let position = openPosition({ ...this.#miner, tradePair, order });
    for (const [index, timeMs] of laterMs.entries()) {
      const isClosing = !staysOpen && index === laterMs.length - 1;
      const action = isClosing ? this.#closingAction() : chooseAdjustment(this.#random, position);
      if (action === undefined) continue;
      position = withOrder(
        position,
        this.#fill(pair, timeMs, followUpSize(this.#random, position, action), position),
      );
      // An order can lose everything, which closes the position before its time.
      if (position.is_closed_position) break;
    }
    return position;
  }

  #closingAction(): 'close' | 'flip' {
    return this.#random.chance(FLIP_SHARE) ? 'flip' : 'close';
  }
}
