import { CUT_SEPARATOR, cutAround, findMember, orderText, parseForCut } from '@ptn-api/positions';
import type { PositionParts } from '@ptn-api/order-log';

/** A position of which messages are made. */
export interface PositionToSplit {
  readonly positionUuid: string;
  readonly text: string;
  /** Whether its generation can be rebuilt as of an order that is not its last. */
  readonly canCut: boolean;
  readonly orderCount: number;
  /** Indexes of the orders that get a message. */
  readonly indexes: readonly number[];
}

export interface SplitPosition {
  /** For each of the indexes, in their order. Those of one list share one object. */
  readonly parts: readonly PositionParts[];
  /** Why some of them hold the position as it stands now; `null` where none does. */
  readonly reason: string | null;
}

/** What an order costs that a cut accounts, against a character that is parsed. */
const ACCOUNTED_ORDER_WORK = 8;

/** What splitting a position costs, in characters to parse. */
export function splitWork({ text, orderCount, indexes }: PositionToSplit): number {
  const cuts = indexes.filter((index) => index < orderCount - 1);
  return text.length + cuts.reduce((sum, index) => sum + (index + 1) * ACCOUNTED_ORDER_WORK, 0);
}

/** The position as it stands now. */
function asItStands({ positionUuid, text }: PositionToSplit): PositionParts {
  const member = findMember(text, 0, 'orders');
  if (member === undefined) throw new Error(`position ${positionUuid} has no orders`);
  const [start, end] = [member.valueStart + 1, member.valueEnd - 1];
  const list = Buffer.from(text.slice(start, end));
  return {
    positionUuid,
    head: text.slice(0, start),
    list,
    listBytes: list.length,
    tail: text.slice(end),
  };
}

/** The position as it stood after each of the orders. It is parsed once for all of them. */
export function splitPosition(input: PositionToSplit): SplitPosition {
  const { positionUuid, text, canCut, orderCount, indexes } = input;
  const whole = asItStands(input);
  const last = orderCount - 1;
  if (indexes.every((index) => index === last)) return { parts: indexes.map(() => whole), reason: null };
  if (!canCut) return { parts: indexes.map(() => whole), reason: 'record of a newer form' };
  const parsed = parseForCut(text);
  const texts = Array.from({ length: orderCount }, (_, index) => orderText(parsed, index));
  const joined = Buffer.from(texts.join(CUT_SEPARATOR));
  // As the validator writes it, the list of a cut position is the beginning of the whole one.
  const list = joined.equals(whole.list) ? whole.list : joined;
  let sizeBytes = -CUT_SEPARATOR.length;
  const ends = texts.map((order) => (sizeBytes += CUT_SEPARATOR.length + Buffer.byteLength(order)));
  const kept: number[] = [];
  let reason: string | null = null;
  const partsAt = (index: number): PositionParts => {
    if (index === last) return whole;
    for (let next = kept.length; next <= index; next++) kept.push(next);
    const cut = cutAround(parsed, index === kept.length - 1 ? kept : kept.slice(0, index + 1));
    if (cut.ok) return { positionUuid, head: cut.head, list, listBytes: ends[index] ?? 0, tail: cut.tail };
    ({ reason } = cut);
    return whole;
  };
  return { parts: indexes.map(partsAt), reason };
}

/** Splits positions in one go; answers in the same order. */
export function splitPositions(input: { positions: readonly PositionToSplit[] }): SplitPosition[] {
  return input.positions.map(splitPosition);
}
