import { liquidationOrder } from '@ptn-api/positions';
import type { Order, Position } from '@ptn-api/protocol';

/** Why a miner is out. The last three are of rows that no rule here adds: disabled, manual, or of 2024. */
export type EliminationReason =
  | 'MAX_TOTAL_DRAWDOWN'
  | 'FAILED_CHALLENGE_PERIOD_TIME'
  | 'FAILED_CHALLENGE_PERIOD_DRAWDOWN'
  | 'LIQUIDATED'
  | 'ZOMBIE'
  | 'PLAGIARISM'
  | 'MAX_DAILY_DRAWDOWN';

/** A row of `eliminations.json`, its members in the order in which validators write them. */
export interface Elimination {
  readonly hotkey: string;
  /** Unix ms. */
  readonly elimination_initiated_time_ms: number;
  /** Drawdown in percent, -1 where a challenge period failed without one, null for a zombie. */
  readonly dd: number | null;
  readonly reason: EliminationReason;
  /** Last price of each open pair, of a liquidation. */
  readonly price_info?: Readonly<Record<string, number>>;
  readonly return_info?: {
    readonly dd_stats: Readonly<Record<string, never>>;
    /** Last return of each open pair. */
    readonly returns: Readonly<Record<string, number>>;
  };
}

/** The order that closes an open position of an eliminated miner. */
function flatOrder(position: Position, eliminatedMs: number): Order {
  const lastMs = position.orders.at(-1)?.processed_ms ?? 0;
  const order = liquidationOrder(position, lastMs > eliminatedMs ? lastMs + 1 : eliminatedMs);
  return { ...order, leverage: -position.net_leverage };
}

/**
 * The position as an elimination at `eliminatedMs` (Unix ms) leaves it: closed by a flat order without a price, its returns
 * as they were. A closed one stays as it is.
 */
export function closeByElimination(position: Position, eliminatedMs: number): Position {
  if (position.is_closed_position) return position;
  const order = flatOrder(position, eliminatedMs);
  return {
    ...position,
    orders: [...position.orders, order],
    close_ms: order.processed_ms,
    net_leverage: 0,
    position_type: 'FLAT',
    is_closed_position: true,
  };
}
