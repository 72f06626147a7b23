import type { OrderType } from '@ptn-api/protocol';
import type { AccountedOrder } from '../accounted-order.ts';
import { accountOrders } from '../accounting.ts';
import type { Accounting } from '../accounting.ts';
import { formatFloat } from '../json/format-float.ts';
import { liquidationUuid } from '../liquidation-order.ts';
import { pairTerms } from '../trade-pairs.ts';
import type { CutRules, JsonRecord, MemberTexts, Rebuilder, RecordText } from './generation.ts';
import { formatMs, keptOrders, numberOf, readNumbers } from './record-numbers.ts';

export const ORDER_TYPES: readonly unknown[] = ['LONG', 'SHORT', 'FLAT'] satisfies OrderType[];
const NO_ORDERS: ReadonlyMap<number, MemberTexts> = new Map();

/** The order as the accounting reads it, or the name of what is missing. */
function accountedOrder(order: JsonRecord): AccountedOrder | string {
  const { order_type: type, slippage = 0, src = 0 } = order;
  if (!ORDER_TYPES.includes(type)) return 'order_type';
  const { leverage, price, processed_ms } = order;
  const numbers = readNumbers({ leverage, price, slippage, processed_ms, src });
  return typeof numbers === 'string' ? numbers : { order_type: type as OrderType, ...numbers };
}

/** The accounting members as Python writes them, in its order. */
function formatAccounting(accounting: Accounting): Map<string, string> {
  return new Map([
    ['open_ms', formatMs(accounting.open_ms)],
    ['current_return', formatFloat(accounting.current_return)],
    ['close_ms', accounting.close_ms === null ? 'null' : formatMs(accounting.close_ms)],
    ['net_leverage', formatFloat(accounting.net_leverage)],
    ['return_at_close', formatFloat(accounting.return_at_close)],
    ['average_entry_price', formatFloat(accounting.average_entry_price)],
    ['cumulative_entry_value', formatFloat(accounting.cumulative_entry_value)],
    ['realized_pnl', formatFloat(accounting.realized_pnl)],
    ['position_type', `"${accounting.position_type}"`],
    ['is_closed_position', String(accounting.is_closed_position)],
  ]);
}

function formatLiquidationOrder(positionUuid: string, timeMs: number): string {
  return (
    '{"order_type": "FLAT", "leverage": 0.0, "price": 0.0, "bid": 0.0, "ask": 0.0, "slippage": 0.0, ' +
    `"processed_ms": ${formatMs(timeMs)}, "order_uuid": ${JSON.stringify(liquidationUuid(positionUuid))}, ` +
    '"price_sources": [], "src": 1}'
  );
}

function rebuilder({ record, members }: RecordText): Rebuilder {
  const accounted = record.orders.map(accountedOrder);
  const liquidation = liquidationUuid(record.position_uuid);
  const liquidationIndex = record.orders.findIndex(({ order_uuid: uuid }) => uuid === liquidation);
  const { assetClass, fee, isKnown } = pairTerms(record.trade_pair);
  const accountSize = Object.hasOwn(record, 'account_size')
    ? (numberOf(record['account_size']) ?? NaN)
    : undefined;
  return (kept) => {
    const orders = keptOrders(accounted, kept);
    if (!orders.ok) return orders;
    const result = accountOrders(orders.orders, { assetClass, fee, accountSize });
    if (!result.ok) return result;
    const { accounting, initialPrice, isLiquidated } = result;
    const rebuilt = formatAccounting(accounting);
    // Records of 2024 hold it; later ones do not.
    if (members.has('initial_entry_price')) rebuilt.set('initial_entry_price', formatFloat(initialPrice));
    return {
      ok: true,
      members: rebuilt,
      orders: NO_ORDERS,
      added:
        isLiquidated && !kept.includes(liquidationIndex)
          ? formatLiquidationOrder(record.position_uuid, accounting.close_ms ?? NaN)
          : null,
      isPairKnown: isKnown,
    };
  };
}

/** The generations that count in leverage: 2025 and account-size. */
export const LEVERAGE_RULES: CutRules = {
  positionMembers: new Set([
    'miner_hotkey',
    'position_uuid',
    'open_ms',
    'trade_pair',
    'orders',
    'current_return',
    'close_ms',
    'net_leverage',
    'return_at_close',
    'average_entry_price',
    'initial_entry_price',
    'cumulative_entry_value',
    'account_size',
    'realized_pnl',
    'position_type',
    'is_closed_position',
  ]),
  orderMembers: new Set([
    'order_type',
    'leverage',
    'price',
    'bid',
    'ask',
    'slippage',
    'processed_ms',
    'order_uuid',
    'price_sources',
    'src',
  ]),
  rebuilder,
};
