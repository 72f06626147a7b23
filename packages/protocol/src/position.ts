import type { Tier } from './tier.ts';

/** `[id, display name, legacy fee, minimum leverage, maximum leverage]`, as the validator writes a trade pair. */
export type TradePair = readonly [
  id: string,
  display: string,
  legacyFee: number,
  minLeverage: number,
  maxLeverage: number,
];

export type OrderType = 'LONG' | 'SHORT' | 'FLAT';

/**
 * Who placed an order: 0 the miner; 1 automatic flat at elimination (price 0); 2 automatic flat when the pair was
 * dropped; 3 price-filled elimination flat; 4 the position reached its maximum of orders.
 */
export type OrderSource = 0 | 1 | 2 | 3 | 4;

/** One order as stored by the validator. Later generations add fields, which pass through untouched. */
export interface Order {
  order_type: OrderType;
  /** Signed: negative for SHORT. Fraction of the miner's portfolio. */
  leverage: number;
  price: number;
  bid?: number;
  ask?: number;
  /** Fraction of the price, 0 before slippage was introduced. */
  slippage?: number;
  /** Unix time in ms. */
  processed_ms: number;
  order_uuid: string;
  price_sources: readonly unknown[];
  src?: number;
}

/** One position as stored by the validator. Times are unix ms; returns are factors (1.02 is +2 %). */
export interface Position {
  miner_hotkey: string;
  position_uuid: string;
  open_ms: number;
  trade_pair: TradePair;
  orders: readonly Order[];
  /** Return without fees. */
  current_return: number;
  /** `null` or 0 while the position is open. */
  close_ms: number | null;
  net_leverage: number;
  /** Return with all fees. */
  return_at_close: number;
  average_entry_price: number;
  cumulative_entry_value: number;
  realized_pnl: number;
  position_type: OrderType | null;
  is_closed_position: boolean;
  /** Present in the account-size generation (since August 2025). */
  account_size?: number;
}

/** What `/miner-positions/<hotkey>` answers: one value of the dashboard map. */
export interface MinerPositions {
  positions: readonly Position[];
  thirty_day_returns: number;
  all_time_returns: number;
  n_positions: number;
  percentage_profitable: number;
  tier?: Tier;
}

/** What `/miner-positions` answers: hotkey to positions, sorted by `thirty_day_returns` descending. */
export type DashboardMap = Readonly<Record<string, MinerPositions>>;
