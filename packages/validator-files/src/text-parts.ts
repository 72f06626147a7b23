import { quote } from '@ptn-api/positions';

/** A text in parts, which are never in memory together. */
export type Parts = Iterable<string>;

/** Parts of a list or object with their brackets, one by one: a large file is never in memory as one text. */
export function* enclosed(open: string, parts: Parts, close: string): Generator<string> {
  let before = open;
  for (const part of parts) {
    yield `${before}${part}`;
    before = ', ';
  }
  yield before === open ? `${open}${close}` : close;
}

/** An object of members whose values come in parts. */
export function* members(entries: readonly (readonly [key: string, value: Parts])[]): Generator<string> {
  let before = '{';
  for (const [key, value] of entries) {
    yield `${before}${quote(key)}: `;
    yield* value;
    before = ', ';
  }
  yield '}';
}

function* eachMember<T>(
  items: Iterable<T>,
  entry: (item: T) => readonly [key: string, text: string],
): Generator<string> {
  for (const item of items) {
    const [key, text] = entry(item);
    yield `${quote(key)}: ${text}`;
  }
}

/** An object with a member for each item. */
export function mapOf<T>(
  items: Iterable<T>,
  entry: (item: T) => readonly [key: string, text: string],
): Parts {
  return enclosed('{', eachMember(items, entry), '}');
}
