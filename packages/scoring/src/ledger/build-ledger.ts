import type { Elimination } from '../eliminations/elimination.ts';
import { PORTFOLIO } from './checkpoint.ts';
import type { LedgerBundle } from './checkpoint.ts';
import { ACTIVITY, LedgerWriter } from './ledger-writer.ts';
import type { Activity, Valuation } from './ledger-writer.ts';
import { RESOLUTION_MS } from './market-data.ts';
import type { Resolution } from './market-data.ts';
import type { LedgerUpdate } from './ledger-update.ts';
import { isOpen, revalue } from './valued-position.ts';
import type { PairPositions, ValuedPosition } from './valued-position.ts';

/** Longer spans are walked in minutes. */
const SECONDS_UP_TO_MS = 30 * 60_000;
const NEUTRAL: Valuation = { value: 1, spreadFee: 1, carryFee: 1 };

function times(a: Valuation, b: Valuation): Valuation {
  return {
    value: a.value * b.value,
    spreadFee: a.spreadFee * b.spreadFee,
    carryFee: a.carryFee * b.carryFee,
  };
}

/** One pair within a span: what is closed, and what is open. */
interface PairSpan {
  readonly pair: string;
  readonly ledger: LedgerWriter;
  /** What the closed positions are worth together. */
  readonly initial: Valuation;
  readonly open: ValuedPosition | undefined;
  /** Whether any order was placed before. */
  readonly isTraded: boolean;
  lastPrice: number | undefined;
  valuation: Valuation;
  activity: Activity;
}

/** Builds the ledgers of one miner, span by span. */
export class LedgerBuild {
  readonly #update: LedgerUpdate;
  readonly #writers = new Map<string, LedgerWriter>();

  constructor(update: LedgerUpdate) {
    this.#update = update;
    for (const [pair, ledger] of update.ledgers ?? []) {
      this.#writers.set(pair, new LedgerWriter(ledger, update.terms));
    }
    if (!this.#writers.has(PORTFOLIO)) {
      const firstOrders = update.positions.flatMap(({ orders: [first] }) => first?.processed_ms ?? []);
      this.#writers.set(PORTFOLIO, this.#newWriter(firstOrders.reduce((a, b) => Math.min(a, b), Infinity)));
    }
  }

  /** Unix ms up to which the portfolio's ledger is written. */
  get lastUpdateMs(): number {
    return this.#portfolio.lastUpdateMs;
  }

  ledgers(): LedgerBundle {
    return new Map([...this.#writers].map(([pair, writer]) => [pair, writer.toLedger()]));
  }

  get #portfolio(): LedgerWriter {
    return this.#writers.get(PORTFOLIO) as LedgerWriter;
  }

  #newWriter(initializationMs: number): LedgerWriter {
    const { cellMs, windowMs } = this.#update.terms;
    return new LedgerWriter(
      {
        initialization_time_ms: initializationMs,
        max_return: 1,
        target_cp_duration_ms: cellMs,
        target_ledger_window_ms: windowMs,
        cps: [],
      },
      this.#update.terms,
    );
  }

  /** The row of a miner whose portfolio is worth nothing since `timeMs`, Unix ms. */
  liquidated(
    byPair: ReadonlyMap<string, PairPositions>,
    timeMs: number,
    prices: ReadonlyMap<string, number> = new Map(),
  ): Elimination {
    const lastPrice = (subject: ValuedPosition): number => subject.position.orders.at(-1)?.price ?? 0;
    const last = [...byPair].flatMap(([pair, list]): [string, ValuedPosition][] => {
      const subject = list.at(-1);
      return subject === undefined ? [] : [[pair, subject]];
    });
    return {
      hotkey: this.#update.hotkey,
      elimination_initiated_time_ms: timeMs,
      dd: 0,
      reason: 'LIQUIDATED',
      price_info: Object.fromEntries(
        last.map(([pair, subject]) => [pair, prices.get(pair) ?? lastPrice(subject)]),
      ),
      return_info: {
        dd_stats: {},
        returns: Object.fromEntries(last.map(([pair, { returnAtClose }]) => [pair, returnAtClose])),
      },
    };
  }

  /**
   * Builds from where the portfolio's ledger ends to `endMs`, Unix ms.
   *
   * @param after the position as an order at `endMs` makes it; the last of its pair in `byPair` is as it was before.
   * @returns the row of a portfolio that lost everything on the way.
   */
  to(
    endMs: number,
    byPair: ReadonlyMap<string, PairPositions>,
    after: ValuedPosition | undefined,
  ): Elimination | undefined {
    const startMs = this.lastUpdateMs === 0 ? endMs : this.lastUpdateMs;
    this.#begin(endMs, byPair, after);
    if (this.#portfolio.initializationMs === endMs) return undefined;
    // Asked for even where it is not needed: it decides which carry fees are kept from here on.
    const worth = this.#worthAt(endMs, byPair, after);
    const isIdle = ![...byPair.values()].some((list) => list.some(isOpen));
    const isOld = endMs < this.#update.wallClockMs - this.#update.terms.windowMs;
    if (startMs === endMs || (isIdle && !isOld)) {
      for (const writer of this.#writers.values()) this.#write(writer, writer.lastValuation, endMs);
      return undefined;
    }
    if (!isOld) return this.#walk(startMs, endMs, byPair, after);
    if (worth.get(PORTFOLIO)?.value === 0) return this.liquidated(byPair, endMs);
    for (const [pair, writer] of this.#writers) {
      this.#write(writer, worth.get(pair) ?? writer.lastValuation, endMs);
    }
    return undefined;
  }

  #begin(endMs: number, byPair: ReadonlyMap<string, PairPositions>, after: ValuedPosition | undefined): void {
    this.#portfolio.begin(endMs);
    for (const [pair, list] of byPair) {
      if (this.#writers.has(pair)) continue;
      const subject = after?.position.trade_pair[0] === pair ? after : list[0];
      const writer = this.#newWriter(subject?.position.orders[0]?.processed_ms ?? endMs);
      writer.begin(endMs);
      this.#writers.set(pair, writer);
    }
  }

  #write(
    writer: LedgerWriter,
    valuation: Valuation,
    timeMs: number,
    activity: Activity = ACTIVITY.marketClosed,
  ): void {
    writer.update(valuation, timeMs, activity);
    writer.dropOldCells();
  }

  /** What a position is worth with its fees at a time, as it stands. */
  #valuationOf(subject: ValuedPosition, timeMs: number): Valuation {
    const { fees } = this.#update;
    return {
      value: subject.returnAtClose,
      spreadFee: fees.spread(subject.position, timeMs),
      carryFee: fees.carry(subject.position, timeMs),
    };
  }

  /** What each pair and the portfolio are worth as their positions stand, with the fees of `endMs`. */
  #worthAt(
    endMs: number,
    byPair: ReadonlyMap<string, PairPositions>,
    after: ValuedPosition | undefined,
  ): Map<string, Valuation> {
    const worth = new Map<string, Valuation>();
    for (const [pair, list] of byPair) {
      const isOrdered = after?.position.trade_pair[0] === pair;
      const valuations = (isOrdered ? [...list.slice(0, -1), after] : list)
        .filter(({ position: { orders } }) => orders.length > 0)
        .map((subject) => this.#valuationOf(subject, endMs));
      worth.set(pair, valuations.reduce(times, NEUTRAL));
    }
    return worth.set(PORTFOLIO, [...worth.values()].reduce(times, NEUTRAL));
  }

  #spanOf(pair: string, list: PairPositions): PairSpan {
    let initial = NEUTRAL;
    for (const subject of list) {
      const { orders } = subject.position;
      const last = orders.at(-1);
      if (last === undefined || isOpen(subject)) continue;
      initial = times(initial, this.#valuationOf(subject, last.processed_ms));
    }
    return {
      pair,
      ledger: this.#writers.get(pair) as LedgerWriter,
      initial,
      open: list.find(isOpen),
      isTraded: list.some(({ position: { orders } }) => orders.length > 0),
      lastPrice: list.at(-1)?.position.orders.at(-1)?.price,
      valuation: initial,
      activity: ACTIVITY.noOpenPositions,
    };
  }

  /** Values an open position as of a moment, and notes what its market was doing. Gives what the position is worth. */
  #step(span: PairSpan, open: ValuedPosition, atMs: number, resolution: Resolution): Valuation {
    const { fees, market } = this.#update;
    const spreadFee = fees.spread(open.position, atMs);
    const carryFee = fees.carry(open.position, atMs);
    if (market.isOpen(span.pair, atMs)) {
      const price = market.close(span.pair, atMs, resolution);
      const isChange = price !== undefined && price !== span.lastPrice;
      revalue(open, isChange ? price : undefined, spreadFee * carryFee);
      span.activity = isChange ? ACTIVITY.openWithPriceChange : ACTIVITY.openWithoutPriceChange;
      span.lastPrice = price ?? span.lastPrice;
    } else {
      span.activity = ACTIVITY.marketClosed;
    }
    const own = { value: open.returnAtClose, spreadFee, carryFee };
    span.valuation = times(span.initial, own);
    return own;
  }

  #walk(
    startMs: number,
    endMs: number,
    byPair: ReadonlyMap<string, PairPositions>,
    after: ValuedPosition | undefined,
  ): Elimination | undefined {
    const spans = [...byPair].map(([pair, list]) => this.#spanOf(pair, list));
    const base = spans.reduce((product, { initial }) => times(product, initial), NEUTRAL);
    for (const { open, ledger, initial, isTraded } of spans) {
      if (open === undefined && isTraded) ledger.update(initial, startMs, ACTIVITY.noOpenPositions);
    }
    const longSpan: Resolution = endMs - startMs > SECONDS_UP_TO_MS ? 'minute' : 'second';
    let whole = base;
    let activity: Activity = ACTIVITY.noOpenPositions;
    for (let timeMs = startMs; timeMs < endMs;) {
      const secondMs = timeMs - (timeMs % RESOLUTION_MS.second);
      const isWholeMinute = secondMs % RESOLUTION_MS.minute === 0 && endMs - secondMs > RESOLUTION_MS.minute;
      const resolution = longSpan === 'minute' && isWholeMinute ? 'minute' : 'second';
      const stepMs = RESOLUTION_MS[resolution];
      const atMs = timeMs - (timeMs % stepMs);
      whole = base;
      activity = ACTIVITY.noOpenPositions;
      for (const span of spans) {
        if (span.open === undefined) continue;
        const own = this.#step(span, span.open, atMs, resolution);
        activity = span.activity > activity ? span.activity : activity;
        whole = times(whole, own);
      }
      if (whole.value === 0) {
        const prices = spans.flatMap(({ pair, lastPrice }): [string, number][] =>
          lastPrice === undefined ? [] : [[pair, lastPrice]],
        );
        return this.liquidated(byPair, timeMs, new Map(prices));
      }
      for (const { open, ledger, valuation, activity: own } of spans) {
        if (open !== undefined) ledger.update(valuation, timeMs, own);
      }
      this.#portfolio.update(whole, timeMs, activity);
      timeMs += stepMs;
    }
    return this.#finish(endMs, spans, whole, activity, byPair, after);
  }

  /** Writes the end of a span, an order at it taken in. */
  #finish(
    endMs: number,
    spans: readonly PairSpan[],
    whole: Valuation,
    activity: Activity,
    byPair: ReadonlyMap<string, PairPositions>,
    after: ValuedPosition | undefined,
  ): Elimination | undefined {
    const ordered = spans.find(({ pair }) => pair === after?.position.trade_pair[0]);
    const open = ordered?.open;
    const withOrder = (value: number): number =>
      after === undefined || open === undefined ? value : (value / open.returnAtClose) * after.returnAtClose;
    if (withOrder(whole.value) === 0) {
      return this.liquidated(byPair, after?.position.close_ms ?? endMs);
    }
    for (const span of spans) {
      const { valuation } = span;
      const value = span === ordered ? withOrder(valuation.value) : valuation.value;
      this.#write(span.ledger, { ...valuation, value }, endMs, span.activity);
    }
    this.#write(this.#portfolio, { ...whole, value: withOrder(whole.value) }, endMs, activity);
    return undefined;
  }
}
