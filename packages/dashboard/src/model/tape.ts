import type { StreamOrder } from '@ptn-api/protocol';
import { pairName } from './miners.ts';

/** One order of the live tape. */
export interface TapeRow {
  readonly sequence: number;
  readonly hotkey: string;
  readonly pair: string;
  readonly side: string;
  readonly leverage: number;
  readonly price: number;
  /** Unix ms when it was placed. */
  readonly placedMs: number;
  /** From being available to the server to being here; `null` for one that was read from the log. */
  readonly lagMs: number | null;
}

export function tapeRow({ sequence, data }: StreamOrder, lagMs: number | null): TapeRow | null {
  const { position } = data;
  const order = position.orders.at(-1);
  if (order === undefined) return null;
  return {
    sequence,
    hotkey: position.miner_hotkey,
    pair: pairName(position),
    side: order.order_type,
    leverage: order.leverage,
    price: order.price,
    placedMs: order.processed_ms,
    lagMs,
  };
}

/** Orders the page keeps; beyond them the oldest go. */
export const TAPE_LENGTH = 5000;

/**
 * The tape, newest first, with new rows. Some may come again, among themselves too: from the log and live, or from a stream
 * that began anew. The first one counts.
 */
export function addToTape(tape: readonly TapeRow[], added: readonly TapeRow[]): readonly TapeRow[] {
  const known = new Set(tape.map(({ sequence }) => sequence));
  const fresh = added.filter(({ sequence }) => !known.has(sequence) && known.add(sequence));
  if (fresh.length === 0) return tape;
  return [...tape, ...fresh].sort((one, other) => other.sequence - one.sequence).slice(0, TAPE_LENGTH);
}

export interface LagSummary {
  readonly median: number;
  readonly highest: number;
  readonly count: number;
}

/** Of the orders that came live; `null` where there is none. */
export function lagSummary(tape: readonly TapeRow[]): LagSummary | null {
  const lags = tape.flatMap(({ lagMs }) => (lagMs === null ? [] : [lagMs])).sort((a, b) => a - b);
  const [median, highest] = [lags[Math.floor(lags.length / 2)], lags.at(-1)];
  return median === undefined || highest === undefined ? null : { median, highest, count: lags.length };
}
