import type { Order, Position } from '@ptn-api/protocol';

/** The uuid that the validator gives to the flat order it adds to a liquidated position. */
export function liquidationUuid(positionUuid: string): string {
  return Array.from(positionUuid).reverse().join('');
}

/** What a flat order has in the generations that count in quantities. */
function flatSizes({ net_leverage: netLeverage, net_quantity: netQuantity, net_value: netValue }: Position) {
  if (netQuantity === undefined || netValue === undefined) return {};
  return {
    leverage: -netLeverage,
    value: -netValue,
    quantity: -netQuantity,
    execution_type: 'MARKET',
    limit_price: null,
    stop_loss: null,
    take_profit: null,
    quote_usd_rate: 0,
    usd_base_rate: 0,
  } as const;
}

/** The flat order that the validator adds to a liquidated position. */
export function liquidationOrder(position: Position, timeMs: number): Order {
  return {
    order_type: 'FLAT',
    leverage: 0,
    price: 0,
    bid: 0,
    ask: 0,
    slippage: 0,
    processed_ms: timeMs,
    order_uuid: liquidationUuid(position.position_uuid),
    price_sources: [],
    src: 1,
    ...flatSizes(position),
  };
}
