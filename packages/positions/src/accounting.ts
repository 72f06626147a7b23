import type { OrderType } from '@ptn-api/protocol';
import type { AccountedOrder } from './accounted-order.ts';
import { feeFactor, SLIPPAGE_V1_MS } from './fees.ts';
import type { FeeSubject } from './fees.ts';
import type { PairTerms } from './trade-pairs.ts';

/** The members of a position that follow from its orders. Units as in `Position`. */
export interface Accounting {
  open_ms: number;
  current_return: number;
  close_ms: number | null;
  net_leverage: number;
  return_at_close: number;
  average_entry_price: number;
  cumulative_entry_value: number;
  realized_pnl: number;
  position_type: OrderType;
  is_closed_position: boolean;
}

export interface AccountingTerms extends Pick<PairTerms, 'assetClass' | 'fee'> {
  /** US dollars. Its presence makes it a record of the account-size generation, whose rules differ. */
  readonly accountSize?: number | undefined;
}

export type AccountingResult =
  | {
      readonly ok: true;
      readonly accounting: Accounting;
      /** What the first order paid for each unit. */
      readonly initialPrice: number;
      /** Whether an order lost everything without closing the position: the validator then adds a flat order. */
      readonly isLiquidated: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/** The price of an order after slippage, which always is to the miner's disadvantage. */
function filledPrice(order: AccountedOrder): number {
  const { price, leverage, slippage = 0 } = order;
  return leverage > 0 ? price * (1 + slippage) : price * (1 - slippage);
}

/** The entry price that gains are measured against. */
export function initialEntryPrice(first: AccountedOrder): number {
  return first.processed_ms < SLIPPAGE_V1_MS ? first.price : filledPrice(first);
}

/** A gain as a fraction to a return; everything lost is 0, a return cannot be negative. */
export function returnOfGain(gain: number): number {
  return gain <= -1 ? 0 : 1 + gain;
}

function closes(state: Accounting, { order_type: type, leverage }: AccountedOrder): boolean {
  const net = state.net_leverage + leverage;
  return (
    type === 'FLAT' ||
    (state.position_type === 'LONG' && net <= 0) ||
    (state.position_type === 'SHORT' && net >= 0)
  );
}

/** The gain as of an order, with what the order realizes added to the state. */
function gainAt(state: Accounting, order: AccountedOrder, initialPrice: number): number {
  const { net_leverage: net, average_entry_price: average, position_type: type } = state;
  const { price, leverage } = order;
  if (order.processed_ms < SLIPPAGE_V1_MS) return ((price - average) * net) / initialPrice;
  if (order.order_type !== type || type === 'FLAT') {
    state.realized_pnl -= (filledPrice(order) - average) * leverage;
  }
  const remaining = Math.abs(net) <= Math.abs(net + leverage) ? net : net + leverage;
  return (state.realized_pnl + (price - average) * remaining) / initialPrice;
}

/** Takes an order that left the position open into its average price and its leverage. */
function enter(state: Accounting, order: AccountedOrder, accountSize: number | undefined): void {
  const { price, leverage } = order;
  const { net_leverage: net, average_entry_price: average } = state;
  const newNet = net + leverage;
  if (order.processed_ms < SLIPPAGE_V1_MS) {
    state.average_entry_price = (average * net + price * leverage) / newNet;
    state.cumulative_entry_value += price * leverage;
  } else if (order.order_type === state.position_type) {
    const entry = filledPrice(order);
    state.average_entry_price = (average * net + entry * leverage) / newNet;
    state.cumulative_entry_value +=
      accountSize === undefined ? entry * leverage : entry * ((leverage * accountSize) / entry);
  }
  state.net_leverage = newNet;
}

/**
 * Accounts a position from its orders as the validator does, in the order of the list, which need not be the order of
 * time; orders behind the one that closes it change nothing but fees.
 *
 * @param orders at least one; of the generations 2025 and account-size.
 */
export function accountOrders(orders: readonly AccountedOrder[], terms: AccountingTerms): AccountingResult {
  const [first] = orders;
  if (first === undefined) return { ok: false, reason: 'there are no orders' };
  if (first.leverage === 0 || Number.isNaN(first.leverage)) {
    return { ok: false, reason: `the first order has a leverage of ${first.leverage}` };
  }
  const initialPrice = initialEntryPrice(first);
  if (!(initialPrice > 0)) return { ok: false, reason: `the first order has a price of ${initialPrice}` };
  const { accountSize } = terms;
  const isAccountSize = accountSize !== undefined;
  const state: Accounting = {
    open_ms: first.processed_ms,
    current_return: 1,
    close_ms: null,
    net_leverage: 0,
    return_at_close: 1,
    average_entry_price: 0,
    cumulative_entry_value: 0,
    realized_pnl: 0,
    position_type: first.leverage > 0 ? 'LONG' : 'SHORT',
    is_closed_position: false,
  };
  let pricedMs: number | null = null;
  let isLiquidated = false;
  for (const order of orders) {
    const isClosing = closes(state, order);
    if (isClosing) close(state, order.processed_ms);
    if (order.src === 1 || (isAccountSize && order.src === 2)) {
      // Its price is 0 and says nothing of the return.
      state.net_leverage = 0;
    } else {
      state.current_return = returnOfGain(gainAt(state, order, initialPrice));
      pricedMs = order.processed_ms;
      if (state.current_return === 0) {
        isLiquidated = !isClosing;
        if (isLiquidated) close(state, order.processed_ms);
        break;
      }
      if (isClosing) state.net_leverage = 0;
      else enter(state, order, accountSize);
    }
    if (state.is_closed_position) break;
  }
  // Fees never decide what an order does, so those of the last priced order are the only ones that show.
  if (pricedMs !== null) {
    const subject: FeeSubject = { ...terms, orders, isAccountSize, openMs: state.open_ms };
    state.return_at_close = state.current_return * feeFactor(subject, pricedMs);
  }
  return { ok: true, accounting: state, initialPrice, isLiquidated };
}

function close(state: Accounting, timeMs: number): void {
  state.position_type = 'FLAT';
  state.is_closed_position = true;
  state.close_ms = timeMs;
}
