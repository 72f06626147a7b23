import type { SubscribeStatus } from '@ptn-api/protocol';
import type { ClientMessage } from './client-message.ts';
import type { CursorPosition } from './frame.ts';
import { NO_FILTER, orderFilter } from './order-filter.ts';
import type { OrderFilter } from './order-filter.ts';

/** What a client wants, and where it stands. */
export interface Subscription {
  readonly filter: OrderFilter;
  readonly status: SubscribeStatus;
  /** `undefined` while there is no order log to have a place in. */
  cursor: CursorPosition | undefined;
}

/** What was asked for, with the answer to it. Times are Unix ms. */
export function subscriptionOf(
  message: ClientMessage & { kind: 'subscribe' },
  receivedMs: number,
  cursor: CursorPosition | undefined,
): Subscription {
  const { tradePairs, hotkeys, senderTimestamp } = message;
  const isAll = tradePairs === undefined && hotkeys === undefined;
  return {
    filter: isAll ? NO_FILTER : orderFilter(message),
    status: {
      type: 'subscription_status',
      status: 'success',
      all: isAll,
      action: 'subscribe',
      sender_timestamp: senderTimestamp,
      received_timestamp: receivedMs,
      ...(tradePairs && { trade_pairs: [...new Set(tradePairs)] }),
      ...(hotkeys && { miner_hotkeys: [...new Set(hotkeys)] }),
    },
    cursor,
  };
}
