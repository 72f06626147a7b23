import { floatText, pythonRepr } from '@ptn-api/positions';
import type { OrderType } from '@ptn-api/protocol';
import type { PriceSource } from './price-source.ts';

/** An order of a miner as it goes into its position. */
export interface FilledOrder {
  readonly order_type: OrderType;
  /** Signed. */
  readonly leverage: number;
  readonly price: number;
  readonly bid: number;
  readonly ask: number;
  readonly slippage: number;
  /** Unix ms. */
  readonly processed_ms: number;
  readonly order_uuid: string;
  readonly price_sources: readonly PriceSource[];
  readonly src: number;
}

function sourceText(source: PriceSource): string {
  const { open, close, vwap, high, low, bid, ask } = source;
  return (
    `PriceSource(source=${pythonRepr(source.source)}, timespan_ms=${source.timespan_ms}, open=${floatText(open)}, ` +
    `close=${floatText(close)}, vwap=${floatText(vwap)}, high=${floatText(high)}, low=${floatText(low)}, ` +
    `start_ms=${source.start_ms}, websocket=${source.websocket ? 'True' : 'False'}, lag_ms=${source.lag_ms}, ` +
    `bid=${floatText(bid)}, ask=${floatText(ask)})`
  );
}

/**
 * An order as validators print it, in `order_json` and in texts of errors: Python, not JSON.
 *
 * @param isSlippageModelled where it is not, slippage is an int.
 */
export function orderPythonText(order: FilledOrder, pairId: string, isSlippageModelled: boolean): string {
  const sources = order.price_sources.map(sourceText).join(', ');
  const slippage = isSlippageModelled ? floatText(order.slippage) : '0';
  return (
    `{'trade_pair_id': '${pairId}', 'order_type': '${order.order_type}', 'leverage': ${floatText(order.leverage)}, ` +
    `'price': ${floatText(order.price)}, 'bid': ${floatText(order.bid)}, 'ask': ${floatText(order.ask)}, ` +
    `'slippage': ${slippage}, 'processed_ms': ${order.processed_ms}, 'price_sources': [${sources}], ` +
    `'order_uuid': ${pythonRepr(order.order_uuid)}, 'src': ${order.src}}`
  );
}
