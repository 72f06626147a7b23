import { totalmem } from 'node:os';

/** A worker with the data of a large network has some 300 MB. */
const LEAST_BYTES = 2 ** 30;
const MOST_BYTES = 2 ** 32;

/** What a worker that serves may have of the machine's memory, all told: answers lie outside the heap. */
export function servingMemoryLimit(): number {
  return Math.max(LEAST_BYTES, Math.min(totalmem() / 4, MOST_BYTES));
}
