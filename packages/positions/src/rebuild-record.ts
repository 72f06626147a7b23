import type { Order, Position } from '@ptn-api/protocol';
import { liquidationOrder } from './liquidation-order.ts';
import { accountQuantities } from './quantity-accounting.ts';
import type { QuantityOrder } from './quantity-accounting.ts';
import { quantityRulesOf, quantityTerms } from './quantity-rules.ts';
import { rebuildPosition } from './rebuild-position.ts';

function quantityOrder(order: Order): QuantityOrder {
  const { order_type, leverage, value = null, quantity = null, price, slippage = 0 } = order;
  const { quote_usd_rate = 0, usd_base_rate = 0, processed_ms, src = 0 } = order;
  const rates = { quote_usd_rate, usd_base_rate };
  return { order_type, leverage, value, quantity, price, slippage, ...rates, processed_ms, src };
}

/** The order with what the accounting wrote in it; of one that was not accounted nothing is worked out. */
function settledOrder(order: Order, settled: QuantityOrder | undefined): Order {
  if (settled === undefined) return order;
  const { leverage, value, quantity, quote_usd_rate, usd_base_rate, realized_pnl } = settled;
  return {
    ...order,
    leverage,
    ...(value === null ? {} : { value }),
    ...(quantity === null ? {} : { quantity }),
    quote_usd_rate,
    usd_base_rate,
    ...(realized_pnl === undefined ? {} : { realized_pnl }),
  };
}

/**
 * The position as the validator has it after all its orders, by the rules of the generation that its members show. Of
 * what does not follow from the orders everything stays as it is.
 *
 * @throws RangeError where the orders cannot be accounted.
 */
export function rebuildRecord(position: Position): Position {
  const rules = quantityRulesOf(position);
  if (rules === undefined) return { ...position, ...rebuildPosition(position, position.orders) };
  const { account_size: accountSize = 0, trade_pair: pair, position_uuid: uuid } = position;
  const result = accountQuantities(
    position.orders.map(quantityOrder),
    quantityTerms(pair, accountSize, rules),
    rules,
  );
  if (!result.ok) throw new RangeError(`position ${uuid}: ${result.reason}`);
  const { accounting, isLiquidated } = result;
  const orders = position.orders.map((order, index) => settledOrder(order, result.orders[index]));
  const rebuilt = { ...position, ...accounting, orders };
  if (!isLiquidated) return rebuilt;
  const flat = { ...liquidationOrder(rebuilt, accounting.close_ms ?? 0), value: null, quantity: null };
  return { ...rebuilt, orders: [...orders, flat] };
}
