import { randomUUID } from 'node:crypto';
import { rebuildPosition, TRADE_PAIRS } from '@ptn-api/positions';
import type { Order, OrderType, Position } from '@ptn-api/protocol';

/** The address of the public key of all zeros, which nobody has the secret of. */
const DEFAULT_HOTKEY = '5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM';

/** An order of a test; what is left out is filled in. */
export interface OrderDraft {
  /** Unix ms. */
  readonly timeMs: number;
  /** Signed; 0.1 by default. */
  readonly leverage?: number;
  /** By default the side of the leverage; `FLAT` closes. */
  readonly type?: OrderType;
  /** 100 by default. */
  readonly price?: number;
  readonly slippage?: number;
  readonly uuid?: string;
  readonly src?: number;
  readonly sources?: readonly unknown[];
}

/** A position of a test. */
export interface PositionDraft {
  /** At least one; placed in this order. */
  readonly orders: readonly OrderDraft[];
  readonly hotkey?: string;
  /** The id of a known pair; BTCUSD by default. */
  readonly pair?: string;
  /** By default the uuid of the first order, as with the validator. */
  readonly uuid?: string;
  /** Makes it a position of the account-size generation. */
  readonly accountSize?: number;
}

function makeOrder(draft: OrderDraft): Order {
  const { timeMs, leverage = 0.1, price = 100, slippage = 0, src = 0, sources = [] } = draft;
  return {
    order_type: draft.type ?? (leverage < 0 ? 'SHORT' : 'LONG'),
    leverage,
    price,
    bid: price,
    ask: price,
    slippage,
    processed_ms: timeMs,
    order_uuid: draft.uuid ?? randomUUID(),
    price_sources: sources,
    src,
  };
}

/**
 * A position as the validator would have it after these orders.
 *
 * @throws RangeError for an unknown pair or orders that cannot be accounted.
 */
export function makePosition({
  orders,
  hotkey = DEFAULT_HOTKEY,
  pair = 'BTCUSD',
  uuid,
  accountSize,
}: PositionDraft): Position {
  const tradePair = TRADE_PAIRS[pair];
  if (tradePair === undefined) throw new RangeError(`no trade pair ${pair}`);
  const made = orders.map(makeOrder);
  const identity = {
    miner_hotkey: hotkey,
    position_uuid: uuid ?? made[0]?.order_uuid ?? randomUUID(),
    trade_pair: tradePair,
    ...(accountSize === undefined ? {} : { account_size: accountSize }),
  };
  return rebuildPosition(identity, made);
}

/** The position after one more order; `{ type: 'FLAT', timeMs }` closes it. */
export function addOrder(position: Position, draft: OrderDraft): Position {
  const leverage = draft.leverage ?? (draft.type === 'FLAT' ? -position.net_leverage : 0.1);
  return rebuildPosition(position, [...position.orders, makeOrder({ ...draft, leverage })]);
}
