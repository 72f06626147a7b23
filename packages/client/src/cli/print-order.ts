import type { ReceivedOrder } from '../stream-options.ts';

/** An order as the documentation's sample shows it: the position without its orders, the new order, the lags. */
export function orderText({
  sequence,
  position,
  order,
  lagFromQueueMs,
  lagFromOrderMs,
}: ReceivedOrder): string {
  // JSON leaves out what is undefined.
  const summary = { ...position, orders: undefined };
  const { price_sources, order_uuid, src, ...rest } = order;
  const shown = { trade_pair_id: position.trade_pair[0], ...rest, price_sources, order_uuid, src };
  return `
Received message PTNWebSocketMessage(seq=${sequence})
Position Summary:
${JSON.stringify(summary, null, 2)}
New Order:
${JSON.stringify(shown, null, 2)}
Approx Timelag (ms): from_queue=${lagFromQueueMs}, from_order=${lagFromOrderMs}
`;
}

/** The same as one line of JSON, with the whole position. */
export function orderLine({ sequence, message, receivedAtMs, ...lags }: ReceivedOrder): string {
  const { lagFromQueueMs, lagFromOrderMs } = lags;
  const line = {
    sequence,
    timestamp: message.timestamp,
    received_ms: receivedAtMs,
    lag_from_queue_ms: lagFromQueueMs,
    lag_from_order_ms: lagFromOrderMs,
    ...message.data,
  };
  return `${JSON.stringify(line)}\n`;
}
