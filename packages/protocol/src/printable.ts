/** Control and format characters, line separators: what steers a terminal, or makes a text look like another one. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line of a text for people: names and values come from files that others write. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '?');
}
