import type { OrderType } from '@ptn-api/protocol';

/** One price that a source had for a pair. The members stand in the order in which records hold them. */
export interface PriceSource {
  /** `Polygon_ws`, `Tiingo_rest` and the like. */
  readonly source: string;
  /** Length of a candle; 0 for an event of a websocket. */
  readonly timespan_ms: number;
  readonly open: number;
  readonly close: number;
  readonly vwap: number;
  readonly high: number;
  readonly low: number;
  /** Unix ms. */
  readonly start_ms: number;
  readonly websocket: boolean;
  /** How far it lies from the order, in ms. */
  readonly lag_ms: number;
  /** 0 where the source has no quotes. */
  readonly bid: number;
  readonly ask: number;
}

/** What the sources of a pair have for an instant. Of two that are equally near, the one that stands first counts. */
export interface PricesAt {
  /** Of each source the event that is nearest, before or after. */
  readonly websocket: readonly PriceSource[];
  /** Candles; needed only where `needsRest` says so. */
  readonly rest: readonly PriceSource[];
}

/** Whether all numbers of a price are numbers; a source may send what is none. */
function isUsable(source: PriceSource): boolean {
  const { open, close, vwap, high, low, bid, ask, start_ms: startMs, timespan_ms: spanMs } = source;
  return [open, close, vwap, high, low, bid, ask, startMs, spanMs].every(Number.isFinite);
}

function endMs({ start_ms: startMs, timespan_ms: spanMs }: PriceSource): number {
  return startMs + spanMs - 1;
}

/** How far a price lies from an instant, in ms: of a candle, its nearer end. */
export function distanceMs(source: PriceSource, timeMs: number): number {
  const toStart = Math.abs(timeMs - source.start_ms);
  return source.websocket ? toStart : Math.min(toStart, Math.abs(timeMs - endMs(source)));
}

/** The usable sources, the nearest to an instant first, each with its distance as `lag_ms`. */
export function sortSources(sources: readonly PriceSource[], timeMs: number): PriceSource[] {
  return sources
    .filter(isUsable)
    .map((source) => ({
      source: source.source,
      timespan_ms: source.timespan_ms,
      open: source.open,
      close: source.close,
      vwap: source.vwap,
      high: source.high,
      low: source.low,
      start_ms: source.start_ms,
      websocket: source.websocket,
      lag_ms: distanceMs(source, timeMs),
      bid: source.bid,
      ask: source.ask,
    }))
    .sort((a, b) => a.lag_ms - b.lag_ms);
}

/** Whether no websocket has a price that is at most `maxAgeMs` away, so that candles must be fetched. */
export function needsRest(websocket: readonly PriceSource[], timeMs: number, maxAgeMs: number): boolean {
  return !websocket.some((source) => isUsable(source) && distanceMs(source, timeMs) <= maxAgeMs);
}

/**
 * The sources that an order at `timeMs` is filled from, the best first: those of websockets, and where none of them is
 * recent all that there are, whatever their age.
 */
export function sourcesFor({ websocket, rest }: PricesAt, timeMs: number, maxAgeMs: number): PriceSource[] {
  const isStale = needsRest(websocket, timeMs, maxAgeMs);
  return sortSources(isStale ? [...websocket, ...rest] : websocket, timeMs);
}

/** Length of the candles that have quotes. */
const QUOTED_CANDLE_MS = 1000;

/**
 * The price of an order from its best source. Candles of forex have quotes: who buys pays the ask, who sells gets the
 * bid.
 *
 * @param openedWith the type of the position's first order, which says to which side a FLAT trades.
 */
export function fillPrice(
  source: PriceSource,
  isForex: boolean,
  orderType: OrderType,
  openedWith: OrderType,
  timeMs: number,
): number {
  if (isForex && source.timespan_ms === QUOTED_CANDLE_MS) {
    const isBuying = orderType === 'LONG' || (orderType === 'FLAT' && openedWith !== 'LONG');
    return isBuying ? source.ask : source.bid;
  }
  if (source.websocket) return source.open;
  return Math.abs(timeMs - source.start_ms) < Math.abs(timeMs - endMs(source)) ? source.open : source.close;
}
