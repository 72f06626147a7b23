import { findMember } from './json/edit-object.ts';
import { lastMembers, sliceArray, sliceObject } from './json/slice.ts';
import { streamedPosition } from './streamed-position.ts';
import { CUT_SEPARATOR, cutAround, orderTexts, parseForCut, withoutState } from './tiers/cut-position.ts';

/** A position as it stood after one of its orders: `head`, then the first `listBytes` of `list`, then `tail`. */
export interface StateParts {
  readonly head: string;
  /** UTF-8 of the position's orders, also of those that came later. The same object for several states. */
  readonly list: Uint8Array;
  readonly listBytes: number;
  readonly tail: string;
}

export interface StatesAfterOrders {
  /** For each of the indexes, in their order. */
  readonly states: readonly StateParts[];
  /** Why some of them say nothing but which position it is and what its orders are; `null` where none does. */
  readonly reason: string | null;
}

export interface StreamedRecord {
  /** Name of the generation that wrote the record. */
  readonly generation: string;
  readonly orderCount: number;
}

/** The position as it stands now, which is after its last order. */
function asItStands(text: string): StateParts {
  const member = findMember(text, 0, 'orders');
  if (member === undefined) throw new Error('a position without orders has no state after them');
  const [start, end] = [member.valueStart + 1, member.valueEnd - 1];
  const list = Buffer.from(text.slice(start, end));
  return { head: text.slice(0, start), list, listBytes: list.length, tail: text.slice(end) };
}

/** The list of the orders for all states, and where in it each of them ends. */
function listOf(texts: readonly string[], whole: StateParts): { list: Uint8Array; ends: readonly number[] } {
  const joined = Buffer.from(texts.join(CUT_SEPARATOR));
  let sizeBytes = -CUT_SEPARATOR.length;
  return {
    // As the validator writes it, the list of a cut position is the beginning of the whole one.
    list: joined.equals(whole.list) ? whole.list : joined,
    ends: texts.map((order) => (sizeBytes += CUT_SEPARATOR.length + Buffer.byteLength(order))),
  };
}

/**
 * The position as it stood after each of some of its orders, as messages of the order stream hold it. It is parsed once
 * for all of them. A position that cannot be rebuilt as of an order never shows the state after a later one: everything
 * but its identity and the orders so far is `null` then.
 *
 * @param input text as `readPosition` returned it.
 */
export function statesAfterOrders(
  input: string,
  record: StreamedRecord,
  indexes: readonly number[],
): StatesAfterOrders {
  const text = streamedPosition(input, record);
  const last = record.orderCount - 1;
  const whole = asItStands(text);
  if (indexes.every((index) => index === last)) return { states: indexes.map(() => whole), reason: null };
  const parsed = parseForCut(text);
  const { list, ends } = listOf(orderTexts(parsed), whole);
  const kept: number[] = [];
  let reason: string | null = null;
  const stateAfter = (index: number): StateParts => {
    if (index === last) return whole;
    for (let next = kept.length; next <= index; next++) kept.push(next);
    const cut = cutAround(parsed, index === kept.length - 1 ? kept : kept.slice(0, index + 1));
    if (!cut.ok) ({ reason } = cut);
    const { head, tail } = cut.ok ? cut : withoutState(parsed);
    return { head, list, listBytes: ends[index] ?? 0, tail };
  };
  return { states: indexes.map(stateAfter), reason };
}

/**
 * The same of a position that is not rebuilt: as it stands after its last order, and after all others its identity, the
 * orders so far, and `null` for everything else. It is read without building anything of it.
 *
 * @param input as for {@link statesAfterOrders}.
 * @returns for each of the indexes, in their order.
 */
export function statesNotRebuilt(
  input: string,
  record: StreamedRecord,
  indexes: readonly number[],
): readonly StateParts[] {
  const text = streamedPosition(input, record);
  const whole = asItStands(text);
  const members = lastMembers(sliceObject(text));
  const spans = sliceArray(text, members.get('orders')?.valueStart);
  const { list, ends } = listOf(
    spans.map(({ start, end }) => text.slice(start, end)),
    whole,
  );
  const around = withoutState({ text, members });
  return indexes.map((index) =>
    index === record.orderCount - 1 ? whole : { ...around, list, listBytes: ends[index] ?? 0 },
  );
}
