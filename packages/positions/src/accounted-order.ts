import type { Order } from '@ptn-api/protocol';

/** What the accounting reads of an order. `slippage` and `src` count as 0 where they are absent. */
export type AccountedOrder = Pick<
  Order,
  'order_type' | 'leverage' | 'price' | 'slippage' | 'processed_ms'
> & {
  readonly src?: number;
};
