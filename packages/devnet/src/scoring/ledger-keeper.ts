import { returnAt } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import {
  drawdownPercent,
  drawdownState,
  DRAWDOWN_LIMIT_PERCENT,
  FeeCache,
  firstOrderMs,
  needsRebuild,
  PORTFOLIO,
  updateLedgers,
} from '@ptn-api/scoring';
import type { Elimination, LedgerBundle, LedgerTerms, MarketData } from '@ptn-api/scoring';
import { passMarket } from './pass-market.ts';
import type { ClosePrices } from './scored-validator.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
/** Ledgers stay this far behind the clock: prices of orders are corrected for 5 minutes, and candles come late. */
export const LEDGER_DELAY_MS = 10 * MINUTE_MS;

/** A miner whose ledgers are to be brought up to a time. */
export interface LedgerSubject {
  readonly hotkey: string;
  /** All of them. */
  readonly positions: readonly Position[];
}

/** The performance ledgers of all miners. */
export class LedgerKeeper {
  readonly #terms: LedgerTerms;
  readonly #prices: ClosePrices;
  #ledgers = new Map<string, LedgerBundle>();
  readonly #fees = new Map<string, FeeCache>();

  constructor(terms: LedgerTerms, prices: ClosePrices) {
    this.#terms = terms;
    this.#prices = prices;
  }

  get ledgers(): ReadonlyMap<string, LedgerBundle> {
    return this.#ledgers;
  }

  /** Takes over ledgers that were built before. */
  load(ledgers: ReadonlyMap<string, LedgerBundle>): void {
    this.#ledgers = new Map(ledgers);
  }

  /**
   * Brings ledgers up to 10 minutes before `nowMs`, Unix ms, a miner at a step.
   *
   * @returns a step's row where that miner lost everything on the way; its ledgers end before that.
   */
  *update(subjects: Iterable<LedgerSubject>, nowMs: number): Generator<Elimination | undefined> {
    const market = passMarket(this.#prices);
    for (const subject of subjects) {
      yield this.#advance(subject, nowMs - LEDGER_DELAY_MS, nowMs, market);
    }
  }

  /** Whether a miner is beyond the drawdown limit at the prices of `nowMs`, Unix ms. */
  isBelowLimit({ hotkey, positions }: LedgerSubject, nowMs: number): boolean {
    // What is closed stays as the ledger has it.
    if (positions.every(({ is_closed_position: isClosed }) => isClosed)) return false;
    const highest = Math.max(1, this.#ledgers.get(hotkey)?.get(PORTFOLIO)?.max_return ?? 1);
    let value = 1;
    for (const position of positions) {
      const price = position.is_closed_position ? undefined : this.#priceAt(position.trade_pair[0], nowMs);
      value *=
        price === undefined ? position.return_at_close : returnAt(position, price, nowMs).return_at_close;
    }
    return drawdownPercent(value / highest) >= DRAWDOWN_LIMIT_PERCENT;
  }

  /**
   * Brings the ledgers of a miner up to `nowMs` itself if that takes them beyond the drawdown limit; else leaves them as they are,
   * since prices of the last minutes may still be corrected.
   *
   * @returns whether it did, and the row of a miner that lost everything.
   */
  settle(
    subject: LedgerSubject,
    nowMs: number,
  ): { readonly isBeyondLimit: boolean; readonly liquidation: Elimination | undefined } {
    const before = this.#ledgers.get(subject.hotkey);
    // Candles that are over: the last one that is walked begins before the end.
    const endMs = nowMs - (nowMs % SECOND_MS);
    const liquidation = this.#advance(subject, endMs, nowMs, passMarket(this.#prices));
    const { isBeyondLimit } = drawdownState(this.#ledgers.get(subject.hotkey)?.get(PORTFOLIO));
    if (!isBeyondLimit && liquidation === undefined) {
      if (before === undefined) this.#ledgers.delete(subject.hotkey);
      else this.#ledgers.set(subject.hotkey, before);
    }
    return { isBeyondLimit, liquidation };
  }

  /** Drops the ledgers of all other miners. */
  keepOnly(hotkeys: ReadonlySet<string>): void {
    for (const hotkey of this.#ledgers.keys()) {
      if (hotkeys.has(hotkey)) continue;
      this.#ledgers.delete(hotkey);
      this.#fees.delete(hotkey);
    }
  }

  /** Of the last candle that is over; undefined while a market is closed. */
  #priceAt(pairId: string, nowMs: number): number | undefined {
    const secondMs = nowMs - (nowMs % SECOND_MS);
    const minuteMs = nowMs - (nowMs % MINUTE_MS);
    return (
      this.#prices.closeAt(pairId, secondMs - SECOND_MS, 'second') ??
      this.#prices.closeAt(pairId, minuteMs - MINUTE_MS, 'minute')
    );
  }

  #advance(
    { hotkey, positions }: LedgerSubject,
    endMs: number,
    wallClockMs: number,
    market: MarketData,
  ): Elimination | undefined {
    const firstMs = firstOrderMs(positions);
    if (firstMs === undefined || firstMs > endMs) return undefined;
    const built = this.#ledgers.get(hotkey);
    const isOutdated = built !== undefined && needsRebuild(built, firstMs);
    let fees = this.#fees.get(hotkey);
    if (fees === undefined || isOutdated) this.#fees.set(hotkey, (fees = new FeeCache()));
    fees.keepOnly(new Set(positions.map(({ position_uuid: uuid }) => uuid)));
    const { ledgers, liquidation } = updateLedgers({
      hotkey,
      ledgers: isOutdated ? undefined : built,
      positions,
      nowMs: endMs,
      wallClockMs,
      market,
      terms: this.#terms,
      fees,
    });
    this.#ledgers.set(hotkey, ledgers);
    return liquidation;
  }
}
