import {
  assetClassOf,
  rebuildPosition,
  rebuildRecord,
  refreshPosition,
  TRADE_PAIRS,
} from '@ptn-api/positions';
import type { Order, Position, TradePair } from '@ptn-api/protocol';
import { hasQuantities } from '../generation.ts';
import type { Generation } from '../generation.ts';
import { withCarryFee, withTransactionFee } from './fees-2026.ts';

/** Since 2026 records hold it, where older ones hold what the oldest pairs had in their first days. */
const CRYPTO_FEE = 0.001;

/** The pair as records hold it. */
export function tradePairOf(id: string): TradePair {
  const pair = TRADE_PAIRS[id];
  if (pair === undefined) throw new RangeError(`no trade pair ${id}`);
  return pair;
}

export interface Opening {
  readonly hotkey: string;
  readonly generation: Generation;
  readonly accountSize: number | undefined;
  readonly tradePair: TradePair;
  readonly order: Order;
}

/** What a record that counts in quantities holds before it is accounted. */
const UNACCOUNTED = {
  current_return: 1,
  close_ms: null,
  net_leverage: 0,
  net_value: 0,
  net_quantity: 0,
  return_at_close: 1,
  average_entry_price: 0,
  cumulative_entry_value: 0,
  realized_pnl: 0,
  unrealized_pnl: 0,
  position_type: null,
  is_closed_position: false,
} as const;

const DETAILS_2026 = {
  fee_history: [],
  is_hl: false,
  is_pro: false,
  last_stock_split_date: null,
  dividend_history: [],
  last_price_source: null,
  last_quote_usd_conversion: 1,
} as const;

function pair2026(pair: TradePair): TradePair {
  const [id, name, , minLeverage, maxLeverage] = pair;
  return assetClassOf(id) === 'crypto' ? [id, name, CRYPTO_FEE, minLeverage, maxLeverage] : pair;
}

/** The pair with its fee of today, as orders that wait for their price hold it. */
export function orderedPair(id: string): TradePair {
  return pair2026(tradePairOf(id));
}

/** Accounts a record that counts in quantities after its last order, and has its fee paid where fees are kept. */
function settled(position: Position): Position {
  const rebuilt = withTransactionFee(rebuildRecord(position));
  if (rebuilt.fee_history === undefined) return rebuilt;
  const [source = rebuilt.last_price_source] = position.orders.at(-1)?.price_sources ?? [];
  return { ...rebuilt, last_price_source: source };
}

/** The position that an order opens. As with the validator, it has the uuid of that order. */
export function openPosition({ hotkey, generation, accountSize, tradePair, order }: Opening): Position {
  const identity = {
    miner_hotkey: hotkey,
    position_uuid: order.order_uuid,
    trade_pair: tradePair,
    ...(accountSize === undefined ? {} : { account_size: accountSize }),
  };
  if (!hasQuantities(generation)) return rebuildPosition(identity, [order]);
  const record = { ...identity, ...UNACCOUNTED, open_ms: order.processed_ms, orders: [order] };
  if (generation === 'quantity') return settled(record);
  return settled({ ...record, ...DETAILS_2026, trade_pair: pair2026(tradePair) });
}

/** The position after one more order. */
export function withOrder(position: Position, order: Order): Position {
  const orders = [...position.orders, order];
  if (position.net_quantity === undefined) return rebuildPosition(position, orders);
  return settled({ ...withCarryFee(position, order.processed_ms), orders });
}

/** The position at a price and a time, as the validator refreshes open positions every minute. */
export function refreshed(position: Position, price: number, timeMs: number): Position {
  return position.is_closed_position
    ? position
    : refreshPosition(withCarryFee(position, timeMs), price, timeMs);
}
