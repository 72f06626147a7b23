import type { IncomingMessage } from 'node:http';

const MAX_HEADERS = 100;

/** What is wrong with the headers of a request that Node lets pass; `undefined`: nothing. */
export function headerProblem({ httpVersion, rawHeaders }: IncomingMessage): string | undefined {
  // Beyond 2,000 headers Node drops the rest without a word.
  if (rawHeaders.length > 2 * MAX_HEADERS) return `more than ${MAX_HEADERS} headers`;
  // Names and values in turn, as they came.
  const isHost = (text: string, at: number) =>
    at % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host';
  const hosts = rawHeaders.filter(isHost).length;
  // Node takes the first, and a proxy or a cache in front may take the last.
  if (hosts > 1) return 'more than one Host header';
  return hosts === 0 && httpVersion !== '1.0' ? 'no Host header' : undefined;
}
