import { skipSpace } from './skip-value.ts';
import { lastMembers, sliceObject } from './slice.ts';
import type { Member } from './slice.ts';

/** Whitespace before `at` begins here. */
function spaceStart(text: string, at: number): number {
  let start = at;
  while (/[ \t\r\n]/.test(text.charAt(start - 1))) start -= 1;
  return start;
}

/** The member of this name that counts, in the object that begins at `start`. */
export function findMember(text: string, start: number, name: string): Member | undefined {
  return lastMembers(sliceObject(text, start)).get(name);
}

/**
 * The text with one member of an object set to `value`, and every other byte as it was: in place where the object has
 * the member, else behind the last one and laid out like it.
 *
 * @param start where the object begins.
 * @param value JSON text.
 * @param indent what stands before the member where it is the first one.
 * @throws JsonSyntaxError
 */
export function putMember(text: string, start: number, name: string, value: string, indent = ''): string {
  const members = sliceObject(text, start);
  const known = lastMembers(members).get(name);
  if (known !== undefined) return text.slice(0, known.valueStart) + value + text.slice(known.valueEnd);
  const member = `${JSON.stringify(name)}: ${value}`;
  const last = members.at(-1);
  if (last === undefined) {
    const open = skipSpace(text, start);
    const close = skipSpace(text, open + 1);
    return `${text.slice(0, open + 1)}${indent}${member}${indent === '' ? '' : '\n'}${text.slice(close)}`;
  }
  const space = text.slice(spaceStart(text, last.keyStart), last.keyStart);
  return `${text.slice(0, last.valueEnd)},${space}${member}${text.slice(last.valueEnd)}`;
}

/**
 * The text without the members of this name, and every other byte as it was. All of them go: of several, an earlier one
 * would count once the last is gone.
 *
 * @throws JsonSyntaxError
 */
export function removeMember(text: string, start: number, name: string): string {
  const members = sliceObject(text, start);
  const index = members.findLastIndex(({ key }) => key === name);
  const member = members[index];
  if (member === undefined) return text;
  const [before, after] = [members[index - 1], members[index + 1]];
  const from =
    before?.valueEnd ?? (after === undefined ? spaceStart(text, member.keyStart) : member.keyStart);
  const to = before !== undefined ? member.valueEnd : (after?.keyStart ?? skipSpace(text, member.valueEnd));
  return removeMember(text.slice(0, from) + text.slice(to), start, name);
}
