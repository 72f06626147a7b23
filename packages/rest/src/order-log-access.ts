import type { OrdersHead, Transaction } from '@ptn-api/runtime';
import { openOrderLogReader } from '@ptn-api/order-log';
import type { OrderLogReader } from '@ptn-api/order-log';

/** The order log, once the feed has announced it; opened when it is first asked for. */
export class OrderLogAccess {
  #head: OrdersHead | undefined;
  #reader: OrderLogReader | undefined;

  apply({ put }: Transaction<'orders'>): void {
    this.#head = put.at(-1)?.[1] ?? this.#head;
  }

  /** `undefined` while the feed has announced none. It follows by itself when the log is replaced. */
  reader(): OrderLogReader | undefined {
    if (this.#head !== undefined) this.#reader ??= openOrderLogReader({ path: this.#head.path });
    return this.#reader;
  }
}
