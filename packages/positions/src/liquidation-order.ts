import type { Order } from '@ptn-api/protocol';

/** The uuid that the validator gives to the flat order it adds to a liquidated position. */
export function liquidationUuid(positionUuid: string): string {
  return Array.from(positionUuid).reverse().join('');
}

/** The flat order that the validator adds to a liquidated position. */
export function liquidationOrder(positionUuid: string, timeMs: number): Order {
  return {
    order_type: 'FLAT',
    leverage: 0,
    price: 0,
    bid: 0,
    ask: 0,
    slippage: 0,
    processed_ms: timeMs,
    order_uuid: liquidationUuid(positionUuid),
    price_sources: [],
    src: 1,
  };
}
