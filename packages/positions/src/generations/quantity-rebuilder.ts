import type { OrderType } from '@ptn-api/protocol';
import { formatFloat } from '../json/format-float.ts';
import { accountQuantities } from '../quantity-accounting.ts';
import type { QuantityAccounting, QuantityOrder, QuantityRules } from '../quantity-accounting.ts';
import { liquidationUuid } from '../liquidation-order.ts';
import { quantityTerms } from '../quantity-rules.ts';
import { hasClassFee, pairTerms } from '../trade-pairs.ts';
import type { JsonRecord, MemberTexts, Rebuilder, RecordText } from './generation.ts';
import { ORDER_TYPES } from './leverage-rules.ts';
import { formatMs, keptOrders, numberOf, readNumbers } from './record-numbers.ts';

/** What a record of the generation `quantity` holds. */
export const QUANTITY_POSITION_MEMBERS = [
  'miner_hotkey',
  'position_uuid',
  'open_ms',
  'trade_pair',
  'orders',
  'current_return',
  'close_ms',
  'net_leverage',
  'net_value',
  'net_quantity',
  'return_at_close',
  'average_entry_price',
  'cumulative_entry_value',
  'account_size',
  'realized_pnl',
  'unrealized_pnl',
  'position_type',
  'is_closed_position',
] as const;
export const QUANTITY_ORDER_MEMBERS = [
  'order_type',
  'leverage',
  'value',
  'quantity',
  'execution_type',
  'limit_price',
  'stop_loss',
  'take_profit',
  'price',
  'bid',
  'ask',
  'slippage',
  'quote_usd_rate',
  'usd_base_rate',
  'processed_ms',
  'order_uuid',
  'price_sources',
  'src',
] as const;

/** What the accounting may write anew in an order. */
const SETTLED_MEMBERS = [
  'leverage',
  'value',
  'quantity',
  'quote_usd_rate',
  'usd_base_rate',
  'realized_pnl',
] as const;

/** Null where the record has none. */
function sizeOf(value: unknown): number | null | undefined {
  if (value === null || value === undefined) return null;
  return typeof value === 'number' ? value : undefined;
}

/** The order as the accounting reads it, or the name of what is missing. */
function quantityOrder(order: JsonRecord): QuantityOrder | string {
  const { order_type: type, slippage = 0, src = 0, quote_usd_rate = 0, usd_base_rate = 0 } = order;
  if (!ORDER_TYPES.includes(type)) return 'order_type';
  const { leverage, price, processed_ms } = order;
  // Null leverage is no number that Python lost: the order is sized in another way.
  if (typeof leverage !== 'number') return 'leverage';
  const numbers = readNumbers({ price, slippage, processed_ms, src, quote_usd_rate, usd_base_rate });
  if (typeof numbers === 'string') return numbers;
  const [value, quantity] = [sizeOf(order['value']), sizeOf(order['quantity'])];
  if (value === undefined) return 'value';
  if (quantity === undefined) return 'quantity';
  return { order_type: type as OrderType, leverage, value, quantity, ...numbers };
}

/** The accounting members as Python writes them, in its order. */
function formatAccounting(accounting: QuantityAccounting): MemberTexts {
  return new Map([
    ['open_ms', formatMs(accounting.open_ms)],
    ['current_return', formatFloat(accounting.current_return)],
    ['close_ms', accounting.close_ms === null ? 'null' : formatMs(accounting.close_ms)],
    ['net_leverage', formatFloat(accounting.net_leverage)],
    ['net_value', formatFloat(accounting.net_value)],
    ['net_quantity', formatFloat(accounting.net_quantity)],
    ['return_at_close', formatFloat(accounting.return_at_close)],
    ['average_entry_price', formatFloat(accounting.average_entry_price)],
    ['cumulative_entry_value', formatFloat(accounting.cumulative_entry_value)],
    ['realized_pnl', formatFloat(accounting.realized_pnl)],
    ['unrealized_pnl', formatFloat(accounting.unrealized_pnl)],
    ['position_type', `"${accounting.position_type}"`],
    ['is_closed_position', String(accounting.is_closed_position)],
  ]);
}

/** The members in which the accounting left an order other than it stands in the record. */
function changedMembers(order: JsonRecord, settled: QuantityOrder): Map<string, string> {
  const changed = new Map<string, string>();
  for (const member of SETTLED_MEMBERS) {
    const value = settled[member];
    if (value === undefined || value === null || Object.is(order[member], value)) continue;
    const text = formatFloat(value);
    if (text !== 'null' || order[member] !== null) changed.set(member, text);
  }
  return changed;
}

/** The flat order that is added to a liquidated position, as Python writes it: its sizes are not worked out. */
function formatLiquidationOrder(
  positionUuid: string,
  { net_leverage: net, close_ms: timeMs }: QuantityAccounting,
): string {
  return (
    `{"order_type": "FLAT", "leverage": ${formatFloat(-net)}, "value": null, "quantity": null, ` +
    '"execution_type": "MARKET", "limit_price": null, "stop_loss": null, "take_profit": null, ' +
    '"price": 0.0, "bid": 0.0, "ask": 0.0, "slippage": 0.0, "quote_usd_rate": 0.0, "usd_base_rate": 0.0, ' +
    `"processed_ms": ${formatMs(timeMs ?? NaN)}, "order_uuid": ${JSON.stringify(liquidationUuid(positionUuid))}, ` +
    '"price_sources": [], "src": 1}'
  );
}

export interface QuantityRebuilderOptions {
  readonly rules: QuantityRules;
  /** Members besides those of the accounting, as of the kept orders. */
  readonly details?: (
    input: RecordText,
    kept: readonly number[],
    isPast: (timeMs: number) => boolean,
    orders: readonly QuantityOrder[],
  ) => MemberTexts;
}

/** How records that count in quantities are rebuilt. */
export function quantityRebuilder({ rules, details }: QuantityRebuilderOptions) {
  return (input: RecordText): Rebuilder => {
    const { record } = input;
    const read = record.orders.map(quantityOrder);
    const accountSize = numberOf(record['account_size'] ?? 0) ?? NaN;
    const terms = quantityTerms(record.trade_pair, accountSize, rules);
    // Without fees in the return the class says no more than the lot size, which the fee in the record shows.
    const isPairKnown =
      pairTerms(record.trade_pair).isKnown || (!rules.feesInReturn && hasClassFee(record.trade_pair));
    return (kept, isPast) => {
      const orders = keptOrders(read, kept);
      if (!orders.ok) return orders;
      const result = accountQuantities(orders.orders, terms, rules);
      if (!result.ok) return result;
      const { accounting, isLiquidated, orders: settled } = result;
      const changed = new Map<number, MemberTexts>();
      settled.forEach((order, at) => {
        const index = kept[at] ?? -1;
        const members = changedMembers(record.orders[index] ?? {}, order);
        if (members.size > 0) changed.set(index, members);
      });
      return {
        ok: true,
        members: new Map([
          ...formatAccounting(accounting),
          ...(details?.(input, kept, isPast, settled) ?? []),
        ]),
        orders: changed,
        added: isLiquidated ? formatLiquidationOrder(record.position_uuid, accounting) : null,
        isPairKnown,
      };
    };
  };
}
