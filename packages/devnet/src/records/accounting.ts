import { rebuildPosition, TRADE_PAIRS } from '@ptn-api/positions';
import type { Order, Position, TradePair } from '@ptn-api/protocol';

/** The pair as records hold it. */
export function tradePairOf(id: string): TradePair {
  const pair = TRADE_PAIRS[id];
  if (pair === undefined) throw new RangeError(`no trade pair ${id}`);
  return pair;
}

export interface Opening {
  readonly hotkey: string;
  readonly accountSize: number | undefined;
  readonly tradePair: TradePair;
  readonly order: Order;
}

/** The position that an order opens. As with the validator, it has the uuid of that order. */
export function openPosition({ hotkey, accountSize, tradePair, order }: Opening): Position {
  const identity = {
    miner_hotkey: hotkey,
    position_uuid: order.order_uuid,
    trade_pair: tradePair,
    ...(accountSize === undefined ? {} : { account_size: accountSize }),
  };
  return rebuildPosition(identity, [order]);
}

/** The position after one more order. */
export function withOrder(position: Position, order: Order): Position {
  return rebuildPosition(position, [...position.orders, order]);
}
