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
    value: 'float',
    quantity: 'float',
    execution_type: 'plain',
    limit_price: 'float',
    stop_loss: 'float',
    take_profit: 'float',
    stop_price: 'float',
    stop_condition: 'plain',
    trailing_stop: { values: 'float' },
    bracket_orders: { items: { values: 'float' } },
    price: 'float',
    bid: 'float',
    ask: 'float',
    slippage: 'float',
    quote_usd_rate: 'float',
    usd_base_rate: 'float',
    processed_ms: 'plain',
    order_uuid: 'plain',
    price_sources: { items: PRICE_SOURCE },
    src: 'plain',
    realized_pnl: 'float',
    margin_loan: 'float',
    is_hl_taker: 'plain',
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
    net_value: 'float',
    net_quantity: 'float',
    return_at_close: 'float',
    average_entry_price: 'float',
    cumulative_entry_value: 'float',
    account_size: 'float',
    realized_pnl: 'float',
    unrealized_pnl: 'float',
    position_type: 'plain',
    is_closed_position: 'plain',
    fee_history: { items: { fields: { fee_type: 'plain', amount: 'float', time_ms: 'plain' } } },
    is_hl: 'plain',
    is_pro: 'plain',
    last_stock_split_date: 'plain',
    dividend_history: { items: { values: 'plain' } },
    last_price_source: PRICE_SOURCE,
    last_quote_usd_conversion: 'float',
  },
};

/** One position, as its file and the snapshots hold it. @throws TypeError where it has members that are not known. */
export const writePosition: (position: Position) => string = pythonJsonWriter(POSITION);

/** One order, as positions hold it. @throws TypeError where it has members that are not known. */
export const writeOrder: (order: object) => string = pythonJsonWriter(ORDER);

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
