import type { Logger } from 'pino';
import type { LoggedOrder } from '@ptn-api/order-log';

/** An order that the files have not held for this long is not waited for any more. */
export const FOUND_WITHIN_MS = 10 * 60_000;

/** Of orders that are given up at one moment this many are named, the others are counted. */
const MAX_NAMED = 10;

/**
 * Orders that an earlier run streamed, and that are not in the files as this one has read them so far. Until they are
 * found, an answer of positions must not say that it holds them.
 */
export class MissingOrders {
  readonly #log: Logger;
  readonly #orders: Map<string, LoggedOrder>;

  constructor(orders: readonly LoggedOrder[], log: Logger) {
    this.#log = log;
    this.#orders = new Map(orders.map((order) => [order.orderUuid, order]));
  }

  /** The files hold these orders. Returns whether one of them was missing. */
  found(orderUuids: readonly string[]): boolean {
    if (this.#orders.size === 0) return false;
    let wasMissing = false;
    for (const orderUuid of orderUuids) wasMissing = this.#orders.delete(orderUuid) || wasMissing;
    return wasMissing;
  }

  /** Stops waiting for those that have been missing for too long. Returns whether there were any. */
  giveUp(nowMs: number): boolean {
    const late = [...this.#orders.values()].filter(
      ({ timestampMs }) => timestampMs + FOUND_WITHIN_MS <= nowMs,
    );
    for (const { orderUuid: order, hotkey } of late.slice(0, MAX_NAMED)) {
      this.#log.warn(
        { event: 'order-not-in-files', hotkey, order },
        'an order was streamed, but the files have not shown it for 10 minutes: positions are answered without it',
      );
    }
    if (late.length > MAX_NAMED) {
      this.#log.warn(
        { event: 'orders-not-in-files', count: late.length - MAX_NAMED },
        'further orders were streamed that the files have not shown for 10 minutes',
      );
    }
    return this.found(late.map(({ orderUuid }) => orderUuid));
  }

  /** The number up to which every order is in the files, if `last` is the newest number. */
  completeTo(last: number): number {
    let to = last;
    for (const { sequence } of this.#orders.values()) to = Math.min(to, sequence - 1);
    return to;
  }
}
