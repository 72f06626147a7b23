import type { OrderLogReader } from '@ptn-api/order-log';
import { matches } from './order-filter.ts';
import type { OrderFilter, OrderOwner } from './order-filter.ts';

/** Orders whose owners are kept in one array. */
const CHUNK_ORDERS = 4096;
/** Read from the log by one search. */
const READ_ORDERS = 512;
/** Looked at by one search, in some tenths of a millisecond. */
const SEARCHED_ORDERS = 16_384;

/**
 * Who the orders of the log are of, by number: 4 bytes an order, read from the log by the first who searches it. However
 * often it is searched after that, for whatever, the log is read only for what is found.
 */
export class OrderIndex {
  readonly #reader: OrderLogReader;
  /** Each miner and trade pair once. What orders are of is its place here and 1 more; 0: not read yet. */
  readonly #owners: OrderOwner[] = [];
  readonly #places = new Map<string, number>();
  /** By their first number divided by `CHUNK_ORDERS`. */
  readonly #chunks = new Map<number, Uint32Array>();

  constructor(reader: OrderLogReader) {
    this.#reader = reader;
  }

  /**
   * Orders above `after` and up to `last` that pass the filter, at most `maxCount`: those up to `upTo`, which is `after`
   * where the log no longer holds the next order.
   */
  search(
    { after, last }: { readonly after: number; readonly last: number },
    filter: OrderFilter,
    maxCount: number,
  ): { readonly sequences: readonly number[]; readonly upTo: number } {
    const sequences: number[] = [];
    const end = Math.min(last, after + SEARCHED_ORDERS);
    let mayRead = true;
    let upTo = after;
    while (upTo < end && sequences.length < maxCount) {
      const sequence = upTo + 1;
      if (this.#owner(sequence) === undefined && mayRead) {
        this.#read(upTo);
        mayRead = false;
      }
      const owner = this.#owner(sequence);
      if (owner === undefined) break;
      if (matches(filter, owner)) sequences.push(sequence);
      upTo = sequence;
    }
    return { sequences, upTo };
  }

  /** What is below this number is no longer asked for. */
  forgetBelow(oldest: number): void {
    for (const chunk of this.#chunks.keys()) {
      if ((chunk + 1) * CHUNK_ORDERS <= oldest) this.#chunks.delete(chunk);
    }
  }

  #owner(sequence: number): OrderOwner | undefined {
    const place = this.#chunks.get(Math.floor(sequence / CHUNK_ORDERS))?.[sequence % CHUNK_ORDERS];
    return this.#owners[(place ?? 0) - 1];
  }

  #read(after: number): void {
    for (const { sequence, hotkey, tradePairId } of this.#reader.orders(after, READ_ORDERS)) {
      const number = Math.floor(sequence / CHUNK_ORDERS);
      let chunk = this.#chunks.get(number);
      if (chunk === undefined) this.#chunks.set(number, (chunk = new Uint32Array(CHUNK_ORDERS)));
      chunk[sequence % CHUNK_ORDERS] = this.#placeOf({ hotkey, tradePairId });
    }
  }

  #placeOf(owner: OrderOwner): number {
    const name = JSON.stringify([owner.hotkey, owner.tradePairId]);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.#owners.push(owner);
    this.#places.set(name, place);
    return place;
  }
}
