import type { OrderLogReader, OrderMessage } from '@ptn-api/order-log';

/** What is made of what is read is sent in one go, and an order that comes meanwhile waits. */
export const READ_COUNT = 128;
export const READ_BYTES = 256 * 1024;
const MAX_CACHED_BYTES = 8 * 1024 * 1024;

/**
 * The orders that connections are about to send, read from the log once for all of them: the newest ones, up to a size,
 * and the range that was read last for a connection further behind.
 */
export class MessageCache {
  readonly #reader: OrderLogReader;
  /** Without a hole, up to the newest that was asked for. */
  #newest: OrderMessage[] = [];
  #newestBytes = 0;
  #older: OrderMessage[] = [];

  constructor(reader: OrderLogReader) {
    this.#reader = reader;
  }

  /**
   * Some of the orders above `after`, in order, without a hole among them. They may begin later than `after + 1`, where
   * the log no longer holds what is between.
   *
   * @param last the newest order of the log
   */
  read(after: number, last: number): readonly OrderMessage[] {
    const first = this.#newest[0]?.sequence ?? 0;
    const cachedLast = this.#newest.at(-1)?.sequence ?? -1;
    if (after < first - 1 || (cachedLast < 0 && last - after > READ_COUNT)) return this.#readOlder(after);
    if (after > cachedLast) this.#forgetNewest();
    if (after >= cachedLast) this.#extend(after);
    const start = after + 1 - (this.#newest[0]?.sequence ?? after + 1);
    return this.#newest.slice(Math.max(start, 0), Math.max(start, 0) + READ_COUNT);
  }

  #extend(after: number): void {
    const messages = this.#reader.read(after, READ_COUNT, READ_BYTES);
    const [next] = messages;
    if (next === undefined) return;
    if (next.sequence !== after + 1) this.#forgetNewest();
    for (const message of messages) {
      this.#newest.push(message);
      this.#newestBytes += message.bytes.byteLength;
    }
    let dropped = 0;
    // What was just read stays: it is about to be sent.
    while (this.#newestBytes > MAX_CACHED_BYTES && this.#newest.length - dropped > messages.length) {
      this.#newestBytes -= this.#newest[dropped]?.bytes.byteLength ?? 0;
      dropped += 1;
    }
    this.#newest.splice(0, dropped);
  }

  #readOlder(after: number): readonly OrderMessage[] {
    const start = this.#older.findIndex((message) => message.sequence === after + 1);
    if (start >= 0) return this.#older.slice(start);
    this.#older = this.#reader.read(after, READ_COUNT, READ_BYTES);
    return this.#older;
  }

  #forgetNewest(): void {
    this.#newest = [];
    this.#newestBytes = 0;
  }
}
