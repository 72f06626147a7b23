import { lastMembers, sliceArray, sliceObject } from '../json/slice.ts';
import type { Member, Span } from '../json/slice.ts';
import { generationOf } from '../generations/generations.ts';
import type {
  CutRules,
  MemberTexts,
  PositionRecord,
  Rebuild,
  Rebuilder,
  RecordText,
} from '../generations/generation.ts';

export type CutResult =
  | { readonly ok: true; readonly text: string; readonly isPairKnown: boolean }
  | { readonly ok: false; readonly reason: string };

/** A position that is parsed once, to be cut any number of times. */
export interface ParsedPosition extends RecordText {
  /** Of each order in `text`. */
  readonly orderSpans: readonly Span[];
  /** Null for records of a generation that is not cut. */
  readonly cutting: { readonly rules: CutRules; readonly rebuild: Rebuilder } | null;
}

/** A cut position as the text before its orders and the text behind them. */
export type CutParts =
  | {
      readonly ok: true;
      readonly head: string;
      readonly tail: string;
      /** Of the kept orders: what is written anew in them. */
      readonly orders: ReadonlyMap<number, MemberTexts>;
      readonly isPairKnown: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/** What stands between two orders, and between two members. */
export const CUT_SEPARATOR = ', ';

/** What a position is, whatever its orders did. */
const IDENTITY = new Set(['miner_hotkey', 'position_uuid', 'trade_pair', 'open_ms']);
const ALL = (): boolean => true;

/** @param text of a position that `readPosition` accepted. */
export function parseForCut(text: string): ParsedPosition {
  const members = lastMembers(sliceObject(text));
  const record = JSON.parse(text) as PositionRecord;
  const input = { text, record, members };
  const generation = generationOf(record, record.orders);
  const rules = generation.delayed === 'cut' ? generation.rules : null;
  return {
    ...input,
    orderSpans: sliceArray(text, members.get('orders')?.valueStart),
    cutting: rules === null ? null : { rules, rebuild: rules.rebuilder(input) },
  };
}

/** The members that count, in their order: some written anew, those that are missing behind them. */
function* editedMembers(
  text: string,
  members: ReadonlyMap<string, Member>,
  written: MemberTexts,
  isKept: (member: string) => boolean,
): Generator<readonly [member: string, text: string]> {
  for (const [key, { keyStart, valueStart, valueEnd }] of members) {
    if (!isKept(key)) continue;
    const value = written.get(key) ?? text.slice(valueStart, valueEnd);
    yield [key, text.slice(keyStart, valueStart) + value];
  }
  for (const [key, value] of written) if (!members.has(key)) yield [key, `"${key}": ${value}`];
}

/** The position around its orders: the text before the first and the text behind the last. */
function around(
  { text, members }: Pick<RecordText, 'text' | 'members'>,
  written: MemberTexts,
  added: string | null,
  isKept: (member: string) => boolean,
): { head: string; tail: string } {
  let head = '';
  const pieces: string[] = [];
  for (const [key, piece] of editedMembers(text, members, new Map([...written, ['orders', '[']]), isKept)) {
    pieces.push(piece);
    if (key !== 'orders') continue;
    head = pieces.splice(0).join(CUT_SEPARATOR);
    pieces.push(`${added === null ? '' : CUT_SEPARATOR + added}]`);
  }
  return { head: `{${head}`, tail: `${pieces.join(CUT_SEPARATOR)}}` };
}

/**
 * The text of an order with what a cut writes anew in it.
 *
 * @param isKept whether a member may be there.
 */
function cutOrder(
  { text, record, orderSpans }: ParsedPosition,
  index: number,
  written: MemberTexts = new Map(),
  isKept: (member: string) => boolean = ALL,
): string {
  const span = orderSpans[index];
  if (span === undefined) return '';
  const isWhole = isKept === ALL || Object.keys(record.orders[index] ?? {}).every(isKept);
  // Its bytes stay where nothing changes, also those between its members.
  if (written.size === 0 && isWhole) return text.slice(span.start, span.end);
  const members = lastMembers(sliceObject(text, span.start));
  const pieces = Array.from(editedMembers(text, members, written, isKept), ([, piece]) => piece);
  return `{${pieces.join(CUT_SEPARATOR)}}`;
}

/** What is written anew in the orders: up to the first that cannot be accounted, nothing being known of those behind it. */
function writtenOrders({ cutting, orderSpans }: ParsedPosition): ReadonlyMap<number, MemberTexts> {
  const all = [...orderSpans.keys()];
  const rebuiltFrom = (count: number): Rebuild | undefined =>
    count === 0 ? undefined : cutting?.rebuild(all.slice(0, count), ALL);
  let rebuilt = rebuiltFrom(all.length);
  if (rebuilt?.ok === false) {
    let [low, high] = [0, all.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (rebuiltFrom(middle)?.ok === true) low = middle;
      else high = middle - 1;
    }
    rebuilt = rebuiltFrom(low);
  }
  return rebuilt?.ok === true ? rebuilt.orders : new Map();
}

/** The texts of all orders, as cuts of the position hold them. */
export function orderTexts(parsed: ParsedPosition): string[] {
  const written = writtenOrders(parsed);
  return Array.from(parsed.orderSpans.keys(), (index) => cutOrder(parsed, index, written.get(index)));
}

/** Whether something is as old as the newest of these orders. Most generations do not ask. */
function notAfter({ record }: RecordText, kept: readonly number[]): (timeMs: number) => boolean {
  const isAsOld = (timeMs: number, index: number): boolean =>
    timeMs <= Number(record.orders[index]?.['processed_ms']);
  return (timeMs) => kept.some((index) => isAsOld(timeMs, index));
}

/**
 * What stands around the kept orders of a cut position, which are joined by {@link CUT_SEPARATOR} between `head` and
 * `tail`. Costs as much as there are orders and carry intervals, not as much as they are long.
 *
 * @param kept indexes of at least one order, rising.
 * @param isPast whether what happened besides the orders at this time (Unix ms) is kept; by default until the newest of
 *   the orders.
 * @param isKept whether a member may be there.
 */
export function cutAround(
  parsed: ParsedPosition,
  kept: readonly number[],
  isPast = notAfter(parsed, kept),
  isKept: (member: string) => boolean = ALL,
): CutParts {
  if (parsed.cutting === null) return { ok: false, reason: 'its form is not known' };
  const rebuilt = parsed.cutting.rebuild(kept, isPast);
  if (!rebuilt.ok) return rebuilt;
  const { members, added, orders, isPairKnown } = rebuilt;
  return { ok: true, ...around(parsed, members, added, isKept), orders, isPairKnown };
}

/**
 * What stands around some of the orders of a position that cannot be rebuilt as of them: what the position is, and
 * `null` for everything that its other orders may have changed.
 */
export function withoutState(input: Pick<RecordText, 'text' | 'members'>): { head: string; tail: string } {
  const unsaid = [...input.members.keys()].filter((member) => !IDENTITY.has(member));
  return around(input, new Map(unsaid.map((member) => [member, 'null'])), null, ALL);
}

/** A position with all of its orders and its state, but with only what is past of what stands beside them. */
export function withPastEntries(text: string, isPast: (timeMs: number) => boolean): string {
  const parsed = parseForCut(text);
  const written = parsed.cutting?.rules.pastEntries?.(parsed, isPast) ?? new Map<string, string>();
  const pieces = Array.from(editedMembers(text, parsed.members, written, ALL), ([, piece]) => piece);
  return `{${pieces.join(CUT_SEPARATOR)}}`;
}

/**
 * A position as it stood after some of its orders. Orders that are kept and members that do not follow from them keep
 * their bytes; the accounting members are replaced, or added where they are missing. Members that are not known are left
 * out, and of a key that stands twice only the last is kept: the others could show what the cut is to hide.
 *
 * @param text of a position that `readPosition` accepted.
 * @param keep whether the order at an index is kept.
 * @param isPast as of {@link cutAround}.
 */
export function cutPosition(
  text: string,
  keep: (index: number) => boolean,
  isPast?: (timeMs: number) => boolean,
): CutResult {
  const parsed = parseForCut(text);
  const kept = [...parsed.orderSpans.keys()].filter(keep);
  const rules = parsed.cutting?.rules;
  const cut = cutAround(parsed, kept, isPast, (member) => rules?.positionMembers.has(member) === true);
  if (!cut.ok) return cut;
  const isKept = (member: string): boolean => rules?.orderMembers.has(member) === true;
  const list = kept.map((index) => cutOrder(parsed, index, cut.orders.get(index), isKept));
  return { ok: true, text: cut.head + list.join(CUT_SEPARATOR) + cut.tail, isPairKnown: cut.isPairKnown };
}
