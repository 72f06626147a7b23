const MOST_HEADERS = 100;

/**
 * What is wrong with the headers of a request that Node lets pass; `undefined`: nothing.
 *
 * @param rawHeaders Names and values in turn, as they came. Beyond 2,000 headers Node drops the rest without a word.
 */
export function headerProblem(rawHeaders: readonly string[]): string | undefined {
  if (rawHeaders.length > 2 * MOST_HEADERS) return `more than ${MOST_HEADERS} headers`;
  const isHost = (text: string, at: number) =>
    at % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host';
  // Node takes the first, and a proxy or a cache in front may take the last.
  return rawHeaders.filter(isHost).length > 1 ? 'more than one Host header' : undefined;
}
