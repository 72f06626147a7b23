import type { JsonRecord, PositionGeneration } from './generations/generation.ts';
import { generationOf } from './generations/generations.ts';
import { replaceNonFinite } from './json/non-finite.ts';
import { sampleBucket } from './sample-bucket.ts';

/** The few facts of a position that decide where and when it is shown. Times are Unix ms. */
export interface PositionFacts {
  readonly positionUuid: string;
  readonly tradePairId: string;
  readonly openMs: number;
  /** `null` while it is open, also where the record says 0. */
  readonly closeMs: number | null;
  readonly isClosed: boolean;
  /** Of the close, or of the last order of an open position: once it is over 24 h ago, every tier shows the state. */
  readonly delayedUntilMs: number;
  /** Factor with all fees; NaN where the record holds none (Python wrote NaN). */
  readonly returnAtClose: number;
  /** 0-99: which tiers see the position in real time. */
  readonly sampleBucket: number;
  readonly orderTimesMs: readonly number[];
  readonly orderUuids: readonly string[];
  /** Times of the orders that hold price sources. */
  readonly priceSourceTimesMs: readonly number[];
  /** Times of what else is in a delayed state as soon as it is 24 h old. */
  readonly entryTimesMs: readonly number[];
  /** Name of the generation that wrote it. */
  readonly generation: string;
  /** See {@link PositionGeneration}. */
  readonly delayed: PositionGeneration['delayed'];
}

export type PositionReading =
  | {
      readonly ok: true;
      /** The input without whitespace around it, and with `null` for every NaN and Infinity. */
      readonly text: string;
      readonly facts: PositionFacts;
      /** How many NaN and Infinity were replaced. */
      readonly nonFinite: number;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * The end of the year 2100. A time beyond it is no Unix time in ms (but in µs, say), and fees would be summed up over
 * millions of years.
 */
const LATEST_MS = 4_133_980_800_000;

const NO_TIMES: readonly number[] = [];

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LATEST_MS;
}

interface OrderFacts {
  readonly times: number[];
  readonly uuids: string[];
  readonly sourceTimes: number[];
  readonly records: JsonRecord[];
}

/** The facts of the orders, or what is wrong with them. */
function readOrders(orders: readonly unknown[]): OrderFacts | string {
  const facts: OrderFacts = { times: [], uuids: [], sourceTimes: [], records: [] };
  for (const [index, order] of orders.entries()) {
    if (!isRecord(order)) return `order ${index} is no object`;
    const { processed_ms: timeMs, order_uuid: uuid, price_sources: sources } = order;
    if (!isTime(timeMs)) return `order ${index} has no processed_ms in Unix ms`;
    if (typeof uuid !== 'string') return `order ${index} has no order_uuid`;
    facts.times.push(timeMs);
    facts.uuids.push(uuid);
    facts.records.push(order);
    if (Array.isArray(sources) && sources.length > 0) facts.sourceTimes.push(timeMs);
  }
  return facts;
}

/** The facts of a record, or what makes it no position. */
function readFacts(record: unknown): PositionFacts | string {
  if (!isRecord(record)) return 'is not a JSON object';
  const {
    position_uuid: positionUuid,
    trade_pair: tradePair,
    open_ms: openMs,
    close_ms: closeMs,
    orders,
  } = record;
  if (typeof positionUuid !== 'string' || positionUuid === '') return 'has no position_uuid';
  if (!Array.isArray(tradePair) || typeof tradePair[0] !== 'string') {
    return 'has no trade_pair that is a list with the id first';
  }
  if (!isTime(openMs)) return 'has no open_ms in Unix ms';
  if (!Array.isArray(orders) || orders.length === 0) return 'has no orders';
  const orderFacts = readOrders(orders);
  if (typeof orderFacts === 'string') return orderFacts;
  const { is_closed_position: isClosed = Boolean(closeMs), return_at_close: returnAtClose = 1 } = record;
  if (typeof isClosed !== 'boolean') return 'has an is_closed_position that is neither true nor false';
  // Without it nobody could say when the position may be shown.
  if (isClosed && (!isTime(closeMs) || closeMs === 0)) return 'is closed but has no close_ms in Unix ms';
  const generation = generationOf(record, orderFacts.records);
  const { delayed } = generation;
  const { times } = orderFacts;
  // The last in the list is not always the latest.
  const settledMs = isClosed ? (closeMs as number) : (times.at(-1) as number);
  return {
    positionUuid,
    tradePairId: tradePair[0],
    openMs,
    closeMs: isClosed ? (closeMs as number) : null,
    isClosed,
    delayedUntilMs:
      generation.delayedByYoungest === true ? times.reduce((a, b) => Math.max(a, b), settledMs) : settledMs,
    returnAtClose: typeof returnAtClose === 'number' ? returnAtClose : NaN,
    sampleBucket: sampleBucket(positionUuid),
    orderTimesMs: times,
    orderUuids: orderFacts.uuids,
    priceSourceTimesMs: orderFacts.sourceTimes,
    entryTimesMs: (delayed === 'cut' && generation.rules.entryTimesMs?.(record)) || NO_TIMES,
    generation: generation.name,
    delayed,
  };
}

/**
 * Reads the JSON text of one position: a position file, or an element of a dashboard. Where a key stands twice, the
 * last one counts. Never throws on what it reads; the reason of a refusal is one phrase that goes on "the file ...".
 */
export function readPosition(input: string): PositionReading {
  let text = input.trim();
  let nonFinite = 0;
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    // Nearly every text is JSON as it stands: the search for NaN is left to those that are not.
    ({ text, count: nonFinite } = replaceNonFinite(text));
    try {
      record = JSON.parse(text);
    } catch (error) {
      return { ok: false, reason: `is not JSON: ${(error as Error).message}` };
    }
  }
  const facts = readFacts(record);
  return typeof facts === 'string' ? { ok: false, reason: facts } : { ok: true, text, facts, nonFinite };
}
