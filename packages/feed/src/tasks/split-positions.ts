import { statesAfterOrders, statesNotRebuilt } from '@ptn-api/positions';
import type { PositionParts } from '@ptn-api/order-log';

/** A position of which messages are made. */
export interface PositionToSplit {
  readonly positionUuid: string;
  readonly text: string;
  readonly generation: string;
  readonly orderCount: number;
  /** Indexes of the orders that get a message. */
  readonly indexes: readonly number[];
}

export interface SplitPosition {
  /** For each of the indexes, in their order. Those of one list share one object. */
  readonly parts: readonly PositionParts[];
  /** Why some of them do not say how the position stood; `null` where none does. */
  readonly reason: string | null;
}

/** What an order costs that a cut accounts, against a character that is parsed. */
const ACCOUNTED_ORDER_WORK = 8;

/** What splitting a position costs, in characters to parse. */
export function splitWork({ text, orderCount, indexes }: PositionToSplit): number {
  const cuts = indexes.filter((index) => index < orderCount - 1);
  return text.length + cuts.reduce((sum, index) => sum + (index + 1) * ACCOUNTED_ORDER_WORK, 0);
}

/** The position as it stood after each of the orders. It is parsed once for all of them. */
export function splitPosition(position: PositionToSplit): SplitPosition {
  const { positionUuid, text, indexes } = position;
  const { states, reason } = statesAfterOrders(text, position, indexes);
  return { parts: states.map((state) => ({ positionUuid, ...state })), reason };
}

/** The same of one that no thread could split: only of its last order it says how it stood. */
export function splitWithoutStates(position: PositionToSplit): SplitPosition {
  const { positionUuid, text, indexes } = position;
  const states = statesNotRebuilt(text, position, indexes);
  return { parts: states.map((state) => ({ positionUuid, ...state })), reason: null };
}

/** Splits positions in one go; answers in the same order. */
export function splitPositions(input: { positions: readonly PositionToSplit[] }): SplitPosition[] {
  return input.positions.map(splitPosition);
}
