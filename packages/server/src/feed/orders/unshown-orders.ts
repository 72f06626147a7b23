import type { Logger } from 'pino';

/** An order that the files do not show for so long is not waited for any more. */
export const SHOWN_WITHIN_MS = 10 * 60_000;

/** Of orders that are given up at one moment so many are named, the others are counted. */
const NAMED_ORDERS = 10;

export interface UnshownOrder {
  readonly hotkey: string;
  /** `null` where only the order is known: it was in the log when this server opened it. */
  readonly positionUuid: string | null;
  /** Unix ms since when it is waited for. */
  readonly sinceMs: number;
}

export interface UnshownOrdersOptions {
  /** The number of an order, `undefined` while it has none. */
  readonly sequenceOf: (orderUuid: string) => number | undefined;
  readonly log: Logger;
}

/**
 * Orders that were streamed, or are about to be, but are not in the positions that were read from the files: those that
 * came by the ingest socket, and at a start the latest of the log. Until the files show them, an answer of positions
 * must not say that it holds them.
 */
export class UnshownOrders {
  readonly #options: UnshownOrdersOptions;
  readonly #orders = new Map<string, UnshownOrder>();
  /** Of those whose number was asked for before. */
  readonly #sequences = new Map<string, number>();

  constructor(options: UnshownOrdersOptions) {
    this.#options = options;
  }

  add(orderUuid: string, order: UnshownOrder): void {
    this.#orders.set(orderUuid, order);
  }

  /** The files show these orders. Returns whether one of them was waited for. */
  shown(orderUuids: readonly string[]): boolean {
    if (this.#orders.size === 0) return false;
    let wasWaitedFor = false;
    for (const orderUuid of orderUuids) {
      if (!this.#orders.delete(orderUuid)) continue;
      this.#sequences.delete(orderUuid);
      wasWaitedFor = true;
    }
    return wasWaitedFor;
  }

  /** Stops waiting for those that are waited for too long. Returns whether there were any. */
  giveUp(nowMs: number): boolean {
    const late = [...this.#orders].filter(([, { sinceMs }]) => sinceMs + SHOWN_WITHIN_MS <= nowMs);
    const { log } = this.#options;
    for (const [order, { hotkey, positionUuid }] of late.slice(0, NAMED_ORDERS)) {
      log.warn(
        { event: 'order-not-in-files', hotkey, position: positionUuid, order },
        'an order was streamed, but the files have not shown it for 10 minutes: positions are answered without it',
      );
    }
    if (late.length > NAMED_ORDERS) {
      log.warn(
        { event: 'orders-not-in-files', count: late.length - NAMED_ORDERS },
        'further orders were streamed that the files have not shown for 10 minutes',
      );
    }
    return this.shown(late.map(([orderUuid]) => orderUuid));
  }

  /** The number up to which every order is in the files, if `last` is the newest number. */
  completeTo(last: number): number {
    let to = last;
    for (const orderUuid of this.#orders.keys()) {
      const sequence = this.#sequences.get(orderUuid) ?? this.#options.sequenceOf(orderUuid);
      // It is not stored yet: its number will be above `last`.
      if (sequence === undefined) continue;
      this.#sequences.set(orderUuid, sequence);
      to = Math.min(to, sequence - 1);
    }
    return to;
  }
}
