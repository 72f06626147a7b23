import type { Position } from '@ptn-api/protocol';
import { initialEntryPrice, returnOfGain } from './accounting.ts';
import { feeFactor } from './fees.ts';
import { liquidationOrder } from './liquidation-order.ts';
import type { QuantityRules } from './quantity-accounting.ts';
import { quantityRulesOf, quantityTerms } from './quantity-rules.ts';
import { pairTerms } from './trade-pairs.ts';

/** What a price makes of a position. */
type Returns = Pick<Position, 'current_return' | 'return_at_close' | 'unrealized_pnl'>;

/** In US dollars, against the account; the rate is that of the last order. */
function gainOfQuantity(
  position: Position,
  price: number,
  rules: QuantityRules,
): { gain: number; unrealized: number } {
  const { orders, account_size: accountSize = 0, net_quantity: net = 0 } = position;
  const { lotSize } = quantityTerms(position.trade_pair, accountSize, rules);
  const rate = orders.at(-1)?.quote_usd_rate ?? 0;
  const unrealized = (price - position.average_entry_price) * (net * lotSize) * rate;
  const gain = position.cumulative_entry_value === 0 ? 0 : (position.realized_pnl + unrealized) / accountSize;
  return { gain, unrealized };
}

/** The gain at a price as a fraction, and the open profit in US dollars where a generation keeps it. */
function gainAt(position: Position, price: number): { gain: number; unrealized?: number } {
  const { orders, net_leverage: net, average_entry_price: average, realized_pnl: realized } = position;
  const [first] = orders;
  if (first === undefined) throw new RangeError(`position ${position.position_uuid} has no orders`);
  const rules = quantityRulesOf(position);
  if (rules !== undefined) return gainOfQuantity(position, price, rules);
  return { gain: (realized + (price - average) * net) / initialEntryPrice(first) };
}

/**
 * What an open position is worth at a price, without fees.
 *
 * @throws RangeError when it has no orders.
 */
export function currentReturnAt(position: Position, price: number): number {
  return returnOfGain(gainAt(position, price).gain);
}

/**
 * What an open position is worth at a price, without and with all fees up to `timeMs` (Unix ms).
 *
 * @throws RangeError when it has no orders.
 */
export function returnAt(position: Position, price: number, timeMs: number): Returns {
  const { orders } = position;
  const { gain, unrealized: openProfit } = gainAt(position, price);
  const current_return = returnOfGain(gain);
  const unrealized = openProfit === undefined ? {} : { unrealized_pnl: openProfit };
  if (quantityRulesOf(position)?.feesInReturn === false)
    return { current_return, return_at_close: current_return, ...unrealized };
  const { assetClass, fee } = pairTerms(position.trade_pair);
  const isAccountSize = position.account_size !== undefined;
  const fees = feeFactor({ orders, assetClass, fee, isAccountSize, openMs: position.open_ms }, timeMs);
  return { current_return, return_at_close: current_return * fees, ...unrealized };
}

/**
 * The position with its returns as of a price and a time, as the validator refreshes open positions every minute. One
 * that has lost everything is closed by a flat order. A closed position is returned as it is.
 */
export function refreshPosition(position: Position, price: number, timeMs: number): Position {
  if (position.is_closed_position) return position;
  const refreshed = { ...position, ...returnAt(position, price, timeMs) };
  const rules = quantityRulesOf(position);
  if (refreshed.current_return !== 0 || rules?.closesLiquidated === false) return refreshed;
  return {
    ...refreshed,
    orders: [...position.orders, liquidationOrder(position, timeMs)],
    close_ms: timeMs,
    position_type: 'FLAT',
    is_closed_position: true,
  };
}
