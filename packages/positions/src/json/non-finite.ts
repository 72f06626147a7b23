/** The offset behind the string that opens at `open`; the end of the text if it does not end. */
function stringEnd(text: string, open: number): number {
  let close = open;
  for (;;) {
    close = text.indexOf('"', close + 1);
    if (close === -1) return text.length;
    let first = close;
    while (text[first - 1] === '\\') first -= 1;
    // An even number of backslashes before it escape each other, not the quote.
    if ((close - first) % 2 === 0) return close + 1;
  }
}

/**
 * Replaces `NaN`, `Infinity` and `-Infinity` outside strings by `null`. Python's `json.dumps` writes them, and they are
 * not JSON.
 *
 * @returns the very text where there are none. `count` is how many were replaced.
 */
export function replaceNonFinite(text: string): { text: string; count: number } {
  const pieces: string[] = [];
  let count = 0;
  let copied = 0;
  // Behind every string that was passed so far, and where the next one opens.
  let outside = 0;
  let quote = text.indexOf('"');
  for (const { index, 0: token } of text.matchAll(/NaN|-?Infinity/g)) {
    while (quote !== -1 && quote < index) {
      outside = stringEnd(text, quote);
      quote = text.indexOf('"', outside);
    }
    if (outside > index) continue;
    pieces.push(text.slice(copied, index), 'null');
    copied = index + token.length;
    count += 1;
  }
  if (count === 0) return { text, count };
  pieces.push(text.slice(copied));
  return { text: pieces.join(''), count };
}
