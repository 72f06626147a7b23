/**
 * The order log: every streamed order by its sequence number, on disk before it is published. The feed writes it;
 * workers read it in their own processes. What it is kept in is this folder's own business: another engine can take
 * its place behind these interfaces.
 */

/**
 * JSON text of a position as it stood after an order, taken apart so that what it shares with the messages before it is
 * stored once: `head`, then the first `listBytes` of `list`, then `tail`.
 */
export interface PositionParts {
  readonly positionUuid: string;
  readonly head: string;
  /** UTF-8 of the position's orders, also of those that came later. The same object for several messages. */
  readonly list: Uint8Array;
  readonly listBytes: number;
  readonly tail: string;
}

/** The position as one text. */
export function positionText(position: PositionParts | string): string {
  if (typeof position === 'string') return position;
  const { head, list, listBytes, tail } = position;
  return head + Buffer.from(list.buffer, list.byteOffset, listBytes).toString() + tail;
}

/** An order to be streamed. */
export interface OrderEvent {
  readonly orderUuid: string;
  readonly hotkey: string;
  readonly tradePairId: string;
  /** Unix ms at which the order became available to the server. */
  readonly timestampMs: number;
  /** The position as it stood after that order, which is the last of its orders. */
  readonly position: PositionParts | string;
}

/** A streamed order. */
export interface OrderMessage {
  readonly sequence: number;
  readonly hotkey: string;
  readonly tradePairId: string;
  readonly timestampMs: number;
  /** UTF-8 of `{"sequence":N,"timestamp":ms,"data":{"position":{…}}}`, as it is sent to every client. */
  readonly bytes: Uint8Array;
}

/** Which order a message of the log is about. */
export type OrderNames = Pick<OrderEvent, 'orderUuid' | 'hotkey' | 'tradePairId' | 'timestampMs'>;

/** An order of the log. */
export interface LoggedOrder extends OrderNames {
  readonly sequence: number;
}

/** Which part of the stream the log holds. */
export interface OrderLogState {
  /** Identity of the log: another one after the log was lost, when numbers say nothing about what was missed. */
  readonly epoch: string;
  /** Of the oldest order that is still there; `last + 1` when there is none. */
  readonly oldest: number;
  /** Of the newest order; what is numbered next is one more. Before the first order: where numbering begins, less 1. */
  readonly last: number;
}

/**
 * What may be said of the files where orders that are not in them are unknown: that they hold none, and nothing where
 * the first orders are no longer in the log, since a client that lacks those cannot get them from it.
 */
export function emptyClaim(state: OrderLogState): OrderLogState | null {
  return state.oldest > 1 ? null : { ...state, last: 0 };
}

/** How much of the stream is kept. */
export interface OrderRetention {
  readonly maxAgeMs: number;
  readonly maxCount: number;
  /** On disk. What is removed for it are whole blocks, but never the one that is being written. */
  readonly maxBytes: number;
}

/** The one writer. Every method that returns a promise is durable, on disk, when it resolves. */
export interface OrderLogWriter {
  state(): OrderLogState;
  /** Whether the log was made by this opening. */
  readonly isNew: boolean;
  /** Unix ms at which a writer was last known to run; `null` in a new log. */
  readonly lastAliveMs: number | null;
  /** Whether an order was appended or remembered before. */
  isKnown(orderUuid: string): boolean;
  /** The newest orders, back to the first that became available before `sinceMs` (Unix ms); newest first. */
  ordersSince(sinceMs: number): LoggedOrder[];
  /** Numbers and stores the events that are not known yet, in their order, all or none. */
  append(events: readonly OrderEvent[]): Promise<OrderLogState>;
  /** Makes orders known that are never to be streamed. */
  remember(orderUuids: readonly string[]): Promise<void>;
  markAlive(nowMs: number): Promise<void>;
  /** Removes the oldest messages beyond any of the limits. Their uuids stay known. */
  prune(nowMs: number, limits: OrderRetention): Promise<OrderLogState>;
  close(): Promise<void>;
}

export interface OrderLogReader {
  state(): OrderLogState;
  /**
   * Up to `limit` messages numbered above `after`, in order, without a hole; with `maxBytes` none behind the one that
   * reaches it. What is not returned is not read.
   */
  read(after: number, limit: number, maxBytes?: number): OrderMessage[];
  /** The messages with these numbers, which ascend; those that are no longer there are left out. `maxBytes` as in `read`. */
  readEach(sequences: Iterable<number>, maxBytes?: number): OrderMessage[];
  /** Who the orders are of that `read` would give, without their messages. */
  orders(after: number, limit: number): LoggedOrder[];
  /** The number before the first message that became available at `sinceMs` (Unix ms) or later; `last` if none did. */
  before(sinceMs: number): number;
  close(): Promise<void>;
}
