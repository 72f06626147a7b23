import type { Position } from '@ptn-api/protocol';
import { pythonJsonWriter } from './json/python-json.ts';
import type { Shape } from './json/python-json.ts';

const PRICE_SOURCE: Shape = {
  fields: {
    source: 'plain',
    timespan_ms: 'plain',
    open: 'float',
    close: 'float',
    vwap: 'float',
    high: 'float',
    low: 'float',
    start_ms: 'plain',
    websocket: 'plain',
    lag_ms: 'plain',
    bid: 'float',
    ask: 'float',
  },
};

const ORDER: Shape = {
  fields: {
    order_type: 'plain',
    leverage: 'float',
    price: 'float',
    bid: 'float',
    ask: 'float',
    slippage: 'float',
    processed_ms: 'plain',
    order_uuid: 'plain',
    price_sources: { items: PRICE_SOURCE },
    src: 'plain',
  },
};

const POSITION: Shape = {
  fields: {
    miner_hotkey: 'plain',
    position_uuid: 'plain',
    open_ms: 'plain',
    trade_pair: { items: 'plain' },
    orders: { items: ORDER },
    current_return: 'float',
    close_ms: 'plain',
    net_leverage: 'float',
    return_at_close: 'float',
    average_entry_price: 'float',
    cumulative_entry_value: 'float',
    account_size: 'float',
    realized_pnl: 'float',
    position_type: 'plain',
    is_closed_position: 'plain',
  },
};

/** One position, as its file and the snapshots hold it. @throws TypeError where it has members that are not known. */
export const writePosition: (position: Position) => string = pythonJsonWriter(POSITION);

/** Where the file of a position lies under PTN_ROOT. */
export function positionPath(position: Position): string {
  const {
    miner_hotkey: hotkey,
    trade_pair: pair,
    position_uuid: uuid,
    is_closed_position: isClosed,
  } = position;
  return `validation/miners/${hotkey}/positions/${pair[0]}/${isClosed ? 'closed' : 'open'}/${uuid}`;
}
