import { statSync } from 'node:fs';
import { dataFile } from './data-file.ts';
import { openLog, readMeta } from './environment.ts';
import type { Environment, OpenedLog } from './environment.ts';
import { OrderLogMissingError } from './errors.ts';
import { loggedOrder } from './logged-orders.ts';
import { MessageTexts } from './message-texts.ts';
import type { LoggedOrder, OrderLogReader, OrderLogState, OrderMessage } from './order-log.ts';
import type { LogMeta } from './records.ts';

/**
 * Opens the log in the folder for reading. Any number of processes may, while one writes.
 *
 * Every call sees what was committed before it. A log that was replaced because it was damaged is seen, too: by its
 * epoch.
 *
 * @throws OrderLogMissingError when there is none yet; OrderLogVersionError. `read` throws OrderLogDamagedError for a
 *   message whose bytes are not those that were written.
 */
export function openOrderLogReader({ path }: { readonly path: string }): OrderLogReader {
  const reader = new LmdbOrderLogReader(path);
  try {
    reader.state();
  } catch (error) {
    // Left open, it would keep this process from ever writing the log. Why it could not be read says more than why not closed.
    reader.close().catch(() => undefined);
    throw error;
  }
  return reader;
}

class LmdbOrderLogReader implements OrderLogReader {
  readonly #path: string;
  #opened: { readonly log: OpenedLog; readonly inode: bigint } | undefined;
  readonly #texts = new MessageTexts();
  /** Closing takes back what a replaced log used; `close` waits for it. */
  readonly #closings: Promise<void>[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  state(): OrderLogState {
    const { epoch, oldest, last } = this.#meta(this.#current());
    return { epoch, oldest, last };
  }

  read(after: number, limit: number, maxBytes?: number): OrderMessage[] {
    const environment = this.#current();
    return this.#messages(environment, this.#held(environment, after, limit), maxBytes);
  }

  readEach(sequences: Iterable<number>, maxBytes?: number): OrderMessage[] {
    return this.#messages(this.#current(), sequences, maxBytes);
  }

  orders(after: number, limit: number): LoggedOrder[] {
    const environment = this.#current();
    return Array.from(this.#held(environment, after, limit), (sequence) =>
      loggedOrder(environment, sequence),
    );
  }

  before(sinceMs: number): number {
    const environment = this.#current();
    const { oldest, last } = this.#meta(environment);
    // They became available in the order of their numbers, but for a clock that was set.
    let [low, high] = [oldest, last + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (loggedOrder(environment, middle).timestampMs < sinceMs) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  async close(): Promise<void> {
    this.#closeOpened();
    await Promise.all(this.#closings);
  }

  /** The numbers above `after` that the log holds, up to `limit` of them. */
  *#held(environment: Environment, after: number, limit: number): Iterable<number> {
    const { oldest, last } = this.#meta(environment);
    const first = Math.max(after + 1, oldest);
    for (let sequence = first; sequence <= Math.min(last, first + limit - 1); sequence++) yield sequence;
  }

  /** One snapshot for all: nothing gives the engine an opportunity to renew it before this returns. */
  #messages(environment: Environment, sequences: Iterable<number>, maxBytes = Infinity): OrderMessage[] {
    const { oldest } = this.#meta(environment);
    const messages: OrderMessage[] = [];
    let sizeBytes = 0;
    for (const sequence of sequences) {
      if (sizeBytes >= maxBytes) break;
      if (sequence < oldest) continue;
      const message = this.#texts.read(environment, sequence);
      messages.push(message);
      sizeBytes += message.bytes.byteLength;
    }
    return messages;
  }

  #meta(environment: Environment): LogMeta {
    const meta = readMeta(environment, this.#path);
    if (!meta) throw new OrderLogMissingError(this.#path);
    return meta;
  }

  /** The log as it is on disk now, at its newest commit. */
  #current(): Environment {
    const inode = this.#inode();
    if (this.#opened?.inode !== inode) {
      this.#closeOpened();
      this.#opened = { log: openLog(this.#path, { readOnly: true }), inode };
    }
    const { environment } = this.#opened.log;
    environment.resetReadTxn();
    return environment;
  }

  #inode(): bigint {
    try {
      return statSync(dataFile(this.#path), { bigint: true }).ino;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new OrderLogMissingError(this.#path, { cause: error });
      throw error;
    }
  }

  #closeOpened(): void {
    this.#texts.clear();
    if (this.#opened) this.#closings.push(this.#opened.log.close());
    this.#opened = undefined;
  }
}
