import { rebuildPosition } from '@ptn-api/positions';
import type { Order, Position, TradePair } from '@ptn-api/protocol';

export const HOUR_MS = 3_600_000;
export const BTC: TradePair = ['BTCUSD', 'BTC/USD', 0.003, 0.01, 0.5];

interface Trade {
  readonly uuid: string;
  readonly hotkey?: string;
  /** Unix ms of each order: the first opens, further ones add, the last closes if `closed`. */
  readonly times: readonly number[];
  readonly closed?: boolean;
  readonly sources?: boolean;
}

/** A position with an order at each of the times, as the validator accounts it. */
export function trade({ uuid, hotkey = 'miner-a', times, closed = false, sources = false }: Trade): Position {
  const orders = times.map((timeMs, index): Order => {
    const isClose = closed && index === times.length - 1;
    return {
      order_type: isClose ? 'FLAT' : 'LONG',
      leverage: isClose ? -0.1 * index : 0.1,
      price: 50_000 + index * 100,
      bid: 0,
      ask: 0,
      slippage: 0,
      processed_ms: timeMs,
      order_uuid: `${uuid}-order-${index}`,
      price_sources: sources ? [{ source: 'Polygon_rest', close: 50_000.5 }] : [],
      src: 0,
    };
  });
  return rebuildPosition({ miner_hotkey: hotkey, position_uuid: uuid, trade_pair: BTC }, orders);
}
