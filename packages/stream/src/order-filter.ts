import type { OrderMessage } from '@ptn-api/order-log';

/** Whose an order is, and of what. */
export type OrderOwner = Pick<OrderMessage, 'hotkey' | 'tradePairId'>;

/** Which orders a subscription wants; a list that is absent lets every order pass. */
export interface OrderFilter {
  readonly tradePairs?: ReadonlySet<string>;
  readonly hotkeys?: ReadonlySet<string>;
  /** The same for every filter that lets the same orders pass, so that what was built for one serves the others. */
  readonly key: string;
}

/** Of a subscription to everything. */
export const NO_FILTER: OrderFilter = { key: '' };

export function orderFilter(lists: {
  readonly tradePairs?: readonly string[];
  readonly hotkeys?: readonly string[];
}): OrderFilter {
  const tradePairs = lists.tradePairs && new Set(lists.tradePairs);
  const hotkeys = lists.hotkeys && new Set(lists.hotkeys);
  return {
    ...(tradePairs && { tradePairs }),
    ...(hotkeys && { hotkeys }),
    key: JSON.stringify([tradePairs, hotkeys].map((set) => (set ? [...set].sort() : null))),
  };
}

export function matches(filter: OrderFilter, { tradePairId, hotkey }: OrderOwner): boolean {
  return filter.tradePairs?.has(tradePairId) !== false && filter.hotkeys?.has(hotkey) !== false;
}
