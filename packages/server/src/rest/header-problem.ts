const MOST_HEADERS = 100;
/** Of these Node takes the first, and a proxy or a cache in front may take the last. */
const SINGLE: readonly string[] = ['host', 'authorization'];

/**
 * What is wrong with the headers of a request that Node lets pass; `undefined`: nothing.
 *
 * @param rawHeaders Names and values in turn, as they came. Beyond 2,000 Node drops headers without a word.
 */
export function headerProblem(rawHeaders: readonly string[]): string | undefined {
  if (rawHeaders.length > 2 * MOST_HEADERS) return `more than ${MOST_HEADERS} headers`;
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    if (!SINGLE.includes(name)) continue;
    if (seen.has(name)) return `more than one ${name} header`;
    seen.add(name);
  }
  return undefined;
}
