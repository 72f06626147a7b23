import type { Position } from '@ptn-api/protocol';
import { initialEntryPrice, returnOfGain } from './accounting.ts';
import { feeFactor } from './fees.ts';
import { liquidationOrder } from './liquidation-order.ts';
import { pairTerms } from './trade-pairs.ts';

/**
 * What an open position is worth at a price, without and with all fees up to `timeMs` (Unix ms).
 *
 * @throws RangeError when it has no orders.
 */
export function returnAt(
  position: Position,
  price: number,
  timeMs: number,
): Pick<Position, 'current_return' | 'return_at_close'> {
  const { orders, net_leverage: net, average_entry_price: average, realized_pnl: realized } = position;
  const [first] = orders;
  if (first === undefined) throw new RangeError(`position ${position.position_uuid} has no orders`);
  const gain = (realized + (price - average) * net) / initialEntryPrice(first);
  const current_return = returnOfGain(gain);
  const { assetClass, fee } = pairTerms(position.trade_pair);
  const isAccountSize = position.account_size !== undefined;
  const fees = feeFactor({ orders, assetClass, fee, isAccountSize, openMs: position.open_ms }, timeMs);
  return { current_return, return_at_close: current_return * fees };
}

/**
 * The position with its returns as of a price and a time, as the validator refreshes open positions every minute. One
 * that has lost everything is closed by a flat order. A closed position is returned as it is.
 */
export function refreshPosition(position: Position, price: number, timeMs: number): Position {
  if (position.is_closed_position) return position;
  const refreshed = { ...position, ...returnAt(position, price, timeMs) };
  if (refreshed.current_return !== 0) return refreshed;
  return {
    ...refreshed,
    orders: [...position.orders, liquidationOrder(position.position_uuid, timeMs)],
    close_ms: timeMs,
    position_type: 'FLAT',
    is_closed_position: true,
  };
}
