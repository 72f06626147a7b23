import type { Order, Position } from '@ptn-api/protocol';
import { accountOrders } from './accounting.ts';
import { liquidationOrder, liquidationUuid } from './liquidation-order.ts';
import { pairTerms } from './trade-pairs.ts';

/** What of a position does not follow from its orders. `account_size` decides the generation. */
export type PositionIdentity = Pick<
  Position,
  'miner_hotkey' | 'position_uuid' | 'trade_pair' | 'account_size'
>;

/**
 * The position as the validator has it after these orders, its members in the order in which the validator writes them.
 * Where the orders lose everything without closing it, the validator's flat order is added.
 *
 * @throws RangeError where the orders cannot be accounted, such as a first order without leverage.
 */
export function rebuildPosition(identity: PositionIdentity, orders: readonly Order[]): Position {
  const { miner_hotkey, position_uuid, trade_pair, account_size } = identity;
  const result = accountOrders(orders, { ...pairTerms(trade_pair), accountSize: account_size });
  if (!result.ok) throw new RangeError(`position ${position_uuid}: ${result.reason}`);
  const { accounting, isLiquidated } = result;
  const isFlatMissing =
    isLiquidated && orders.every((order) => order.order_uuid !== liquidationUuid(position_uuid));
  const position: Position = {
    miner_hotkey,
    position_uuid,
    open_ms: accounting.open_ms,
    trade_pair,
    orders,
    current_return: accounting.current_return,
    close_ms: accounting.close_ms,
    net_leverage: accounting.net_leverage,
    return_at_close: accounting.return_at_close,
    average_entry_price: accounting.average_entry_price,
    cumulative_entry_value: accounting.cumulative_entry_value,
    ...(account_size === undefined ? {} : { account_size }),
    realized_pnl: accounting.realized_pnl,
    position_type: accounting.position_type,
    is_closed_position: accounting.is_closed_position,
  };
  if (isFlatMissing) position.orders = [...orders, liquidationOrder(position, accounting.close_ms ?? 0)];
  return position;
}
