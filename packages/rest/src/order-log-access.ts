import type { OrdersHead, Transaction } from '@ptn-api/runtime';
import type { OrderLogReader } from '@ptn-api/order-log';

/** The order log; `undefined` while there is none. */
export type OrderLogs = () => OrderLogReader | undefined | Promise<OrderLogReader | undefined>;

/** The order log, once the feed has announced it; opened when it is first asked for. */
export class OrderLogAccess {
  #head: OrdersHead | undefined;
  #reader: OrderLogReader | undefined;

  apply({ put }: Transaction<'orders'>): void {
    this.#head = put.at(-1)?.[1] ?? this.#head;
  }

  /** `undefined` while the feed has announced none. It follows by itself when the log is replaced. */
  async reader(): Promise<OrderLogReader | undefined> {
    if (this.#head === undefined || this.#reader !== undefined) return this.#reader;
    // Loaded only where it is used: the engine takes some 35 ms of a start.
    const { openOrderLogReader } = await import('@ptn-api/order-log');
    return (this.#reader ??= openOrderLogReader({ path: this.#head.path }));
  }
}
