import type { AnyTransaction, Part } from './messages.ts';
import { ownBytes } from './own-bytes.ts';

/** About so much travels in one message. */
const PART_BYTES = 1024 * 1024;

/**
 * Sends transactions as messages of about 1 MiB, one after the other. The first snapshots are tens of megabytes: as one
 * message they would be held three times over by either process, as values, as the message, and in the pipe.
 */
export async function sendInParts(
  transactions: readonly AnyTransaction[],
  send: (part: Part) => Promise<void>,
): Promise<void> {
  for (const part of inParts(transactions, PART_BYTES)) await send(part);
}

/** Cuts transactions between their values; a value of more than `limitBytes` is a part by itself. */
export function inParts(transactions: readonly AnyTransaction[], limitBytes: number): Part[] {
  const parts: AnyTransaction[][] = [];
  let part: AnyTransaction[] = [];
  let sizeBytes = 0;
  for (const { topic, reset, put, remove } of transactions) {
    let values: (typeof put)[number][] = [];
    part.push({ topic, reset, put: values, remove } as AnyTransaction);
    for (const entry of put) {
      const entryBytes = bytesOf(entry[1], new Set());
      if (sizeBytes > 0 && sizeBytes + entryBytes > limitBytes) {
        parts.push(part);
        values = [];
        part = [{ topic, reset: false, put: values, remove: [] } as AnyTransaction];
        sizeBytes = 0;
      }
      values.push(entry);
      sizeBytes += entryBytes;
    }
  }
  return [
    ...parts.map((before) => ({ transactions: before, continues: true }) as const),
    { transactions: part },
  ];
}

/** Puts the parts of one sender together again. */
export class ChunkAssembler {
  readonly #received: AnyTransaction[] = [];
  #continues = false;

  /** @returns the transactions as they were sent, once their last part is here. */
  add({ transactions, continues }: Part): AnyTransaction[] | undefined {
    // At once, so that the bytes of each part live no longer than it takes to copy them.
    const [first, ...others] = ownBytes(transactions);
    const last = this.#received.at(-1);
    if (this.#continues && last !== undefined && first !== undefined) {
      const put = [...last.put, ...first.put];
      this.#received.splice(-1, 1, { ...last, put } as AnyTransaction);
    } else if (first !== undefined) this.#received.push(first);
    this.#received.push(...others);
    this.#continues = continues === true;
    return this.#continues ? undefined : this.#received.splice(0);
  }
}

/** The bytes in a value; what it shares within itself counts, and is sent, once. */
function bytesOf(value: unknown, counted: Set<object>): number {
  if (typeof value !== 'object' || value === null || counted.has(value)) return 0;
  counted.add(value);
  if (value instanceof Uint8Array) return value.byteLength;
  let sum = 0;
  for (const field of Object.values(value)) sum += bytesOf(field, counted);
  return sum;
}
