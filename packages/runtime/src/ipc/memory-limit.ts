import { totalmem } from 'node:os';

/** A worker with the data of a large network has some 300 MB. */
const MIN_BYTES = 2 ** 30;
const MAX_BYTES = 2 ** 32;

/** What a worker that serves may have of the machine's memory, in total: answers lie outside the heap. */
export function servingMemoryLimit(): number {
  return Math.max(MIN_BYTES, Math.min(totalmem() / 4, MAX_BYTES));
}
