import { skipKey, skipSpace, skipString, skipValue, unexpected } from './skip-value.ts';

/** A member of an object, as offsets into its text. */
export interface Member {
  /** Decoded. Where a key stands twice, the last member counts, as for `JSON.parse` and Python. */
  readonly key: string;
  /** Of the quote before the key. */
  readonly keyStart: number;
  readonly valueStart: number;
  /** Behind the value. */
  readonly valueEnd: number;
}

/** An element of a list, as offsets into its text; `end` is behind it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

function openingAt(text: string, start: number | undefined, bracket: '{' | '['): number {
  const open = skipSpace(text, start ?? 0);
  if (text[open] !== bracket) throw unexpected(text, open, `"${bracket}"`);
  return open;
}

/** Checks what follows an item: whether there is a further one, and where to look for it. */
function nextItem(text: string, itemEnd: number, close: '}' | ']'): { more: boolean; at: number } {
  const at = skipSpace(text, itemEnd);
  const found = text[at];
  if (found !== ',' && found !== close) throw unexpected(text, at, `"," or "${close}"`);
  return { more: found === ',', at: at + 1 };
}

function expectEnd(text: string, at: number): void {
  const end = skipSpace(text, at);
  if (end < text.length) throw unexpected(text, end, 'the end of the text');
}

/** The key between its quotes; keys with escapes are rare. */
function decodeKey(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  return raw.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : raw;
}

/**
 * The members of an object in the order of the text, nothing of their values being built; the values are checked.
 *
 * @param start where the object begins, whitespace before it allowed; what follows it is then not looked at. Without
 *   `start` the text must hold the object and nothing else.
 * @throws JsonSyntaxError
 */
export function sliceObject(text: string, start?: number): Member[] {
  const members: Member[] = [];
  let at = skipSpace(text, openingAt(text, start, '{') + 1);
  let more = text[at] !== '}';
  if (!more) at += 1;
  while (more) {
    const keyStart = skipSpace(text, at);
    const keyEnd = skipString(text, keyStart);
    const valueStart = skipSpace(text, skipKey(text, keyStart));
    const valueEnd = skipValue(text, valueStart);
    members.push({ key: decodeKey(text, keyStart, keyEnd), keyStart, valueStart, valueEnd });
    ({ more, at } = nextItem(text, valueEnd, '}'));
  }
  if (start === undefined) expectEnd(text, at);
  return members;
}

/** The members that count: of each key the last one, where that one stands. */
export function lastMembers(members: readonly Member[]): Map<string, Member> {
  const last = new Map<string, Member>();
  for (const member of members) {
    last.delete(member.key);
    last.set(member.key, member);
  }
  return last;
}

/**
 * The elements of a list, nothing of them being built; they are checked.
 *
 * @param start as for `sliceObject`.
 * @throws JsonSyntaxError
 */
export function sliceArray(text: string, start?: number): Span[] {
  const spans: Span[] = [];
  let at = skipSpace(text, openingAt(text, start, '[') + 1);
  let more = text[at] !== ']';
  if (!more) at += 1;
  while (more) {
    const itemStart = skipSpace(text, at);
    const end = skipValue(text, itemStart);
    spans.push({ start: itemStart, end });
    ({ more, at } = nextItem(text, end, ']'));
  }
  if (start === undefined) expectEnd(text, at);
  return spans;
}
