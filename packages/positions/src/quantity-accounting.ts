import type { OrderType } from '@ptn-api/protocol';
import { returnOfGain } from './accounting.ts';
import type { Accounting } from './accounting.ts';
import { feeFactor } from './fees.ts';
import type { AssetClass, QuotedPair } from './trade-pairs.ts';

/** What the accounting reads of an order that has a quantity, and writes anew. */
export interface QuantityOrder {
  readonly order_type: OrderType;
  leverage: number;
  /** US dollars, signed; null where the order came with another size. */
  value: number | null;
  /** Lots, coins or shares, signed; null likewise. */
  quantity: number | null;
  readonly price: number;
  readonly slippage: number;
  quote_usd_rate: number;
  usd_base_rate: number;
  readonly processed_ms: number;
  readonly src: number;
  /** US dollars; of the generation 2026 alone. */
  realized_pnl?: number;
}

/** The members of a position that follow from its orders. Units as in `Position`. */
export interface QuantityAccounting extends Accounting {
  net_value: number;
  net_quantity: number;
  unrealized_pnl: number;
}

export interface QuantityTerms extends QuotedPair {
  readonly assetClass: AssetClass;
  /** Of the pair, as a fraction. */
  readonly fee: number;
  /** Units of the base currency in a quantity of 1. */
  readonly lotSize: number;
  /** US dollars. */
  readonly accountSize: number;
}

/** Where the generations that count in quantities differ. */
export interface QuantityRules {
  /** Whether an order closes, too, that leaves no leverage. */
  readonly closesByLeverage: boolean;
  /** Unix ms from which on slippage counts. */
  readonly slippageFromMs: number;
  /** Orders of these sources say nothing of the return where a price or rate is 0. */
  readonly unpricedSources: ReadonlySet<number>;
  /** Whether `return_at_close` is after fees; else they stand in a history of their own. */
  readonly feesInReturn: boolean;
  /** Whether a position that lost everything is closed by a flat order of the validator. */
  readonly closesLiquidated: boolean;
  /** Whether a first order without leverage closes the position; else it cannot be accounted. */
  readonly closesAtZero: boolean;
  /** Whether an order says what it realized. */
  readonly realizesInOrder: boolean;
  /** Lot sizes of pairs, by id, that are not those of their class. */
  readonly lotSizes: Readonly<Record<string, number | undefined>>;
}

export type QuantityResult =
  | {
      readonly ok: true;
      readonly accounting: QuantityAccounting;
      /** All orders, with what was missing in them and the sizes of the one that closed. */
      readonly orders: readonly QuantityOrder[];
      /** Whether an order lost everything without closing the position: the validator then adds a flat order. */
      readonly isLiquidated: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/** Conversion rates that are missing, as far as they follow from the price. */
function completeRates(order: QuantityOrder, { base, quote }: QuotedPair): void {
  const { price } = order;
  if (price === 0) return;
  if (order.quote_usd_rate === 0) {
    if (quote === 'USD') order.quote_usd_rate = 1;
    else if (base === 'USD') order.quote_usd_rate = 1 / price;
  }
  if (order.usd_base_rate === 0) {
    if (base === 'USD') order.usd_base_rate = 1;
    else if (quote === 'USD') order.usd_base_rate = 1 / price;
  }
}

/** Value and quantity from the leverage, where one of them is missing. */
function completeSizes(order: QuantityOrder, { accountSize, lotSize }: QuantityTerms): void {
  if (order.value !== null && order.quantity !== null) return;
  order.value = order.leverage * accountSize;
  order.quantity = order.price === 0 ? 0 : (order.value * order.usd_base_rate) / lotSize;
}

/** The price after slippage, which always is to the miner's disadvantage. */
function filledPrice(
  { price, leverage, slippage, processed_ms: timeMs }: QuantityOrder,
  fromMs: number,
): number {
  if (timeMs < fromMs) return price;
  return leverage > 0 ? price * (1 + slippage) : price * (1 - slippage);
}

/** Accounts one position, order by order. */
class QuantityLedger {
  readonly state: QuantityAccounting;
  readonly #orders: readonly QuantityOrder[];
  readonly #terms: QuantityTerms;
  readonly #rules: QuantityRules;
  isLiquidated = false;
  #pricedMs: number | null = null;

  constructor(
    orders: readonly QuantityOrder[],
    first: QuantityOrder,
    terms: QuantityTerms,
    rules: QuantityRules,
  ) {
    this.#orders = orders;
    this.#terms = terms;
    this.#rules = rules;
    this.state = {
      open_ms: first.processed_ms,
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
      position_type: first.leverage > 0 ? 'LONG' : 'SHORT',
      is_closed_position: false,
    };
    if (first.leverage === 0) this.#close(first.processed_ms);
  }

  /** Accounts the next order, or says why it cannot be. */
  add(order: QuantityOrder): string | undefined {
    completeSizes(order, this.#terms);
    const { state } = this;
    if (this.#closes(order)) {
      this.#close(order.processed_ms);
      order.leverage = -state.net_leverage;
      order.quantity = -state.net_quantity;
      order.value = -state.net_value;
    }
    if (this.#isUnpriced(order)) {
      this.#clearNets();
      return undefined;
    }
    const gain = this.#gain(order);
    if (gain === undefined) return 'the account size is 0';
    state.current_return = returnOfGain(gain);
    this.#pricedMs = order.processed_ms;
    if (state.current_return === 0) {
      // Nets and averages stay as they were.
      this.isLiquidated = !state.is_closed_position && this.#rules.closesLiquidated;
      if (this.isLiquidated) this.#close(order.processed_ms);
    } else if (state.is_closed_position) this.#clearNets();
    else this.#enter(order);
    return undefined;
  }

  /** Fees never decide what an order does, so those of the last priced order are the only ones that show. */
  settleFees(): void {
    const { state } = this;
    if (this.#pricedMs === null) return;
    const subject = { ...this.#terms, orders: this.#orders, isAccountSize: true, openMs: state.open_ms };
    const fees = this.#rules.feesInReturn ? feeFactor(subject, this.#pricedMs) : 1;
    state.return_at_close = state.current_return * fees;
  }

  #closes({ order_type: type, leverage, quantity }: QuantityOrder): boolean {
    const { position_type: side, net_leverage: netLeverage, net_quantity: netQuantity } = this.state;
    const nets = [netQuantity + (quantity ?? 0)];
    if (this.#rules.closesByLeverage) nets.push(netLeverage + leverage);
    return (
      type === 'FLAT' ||
      (side === 'LONG' && nets.some((net) => net <= 0)) ||
      (side === 'SHORT' && nets.some((net) => net >= 0))
    );
  }

  #close(timeMs: number): void {
    this.state.position_type = 'FLAT';
    this.state.is_closed_position = true;
    this.state.close_ms = timeMs;
  }

  #clearNets(): void {
    this.state.net_leverage = 0;
    this.state.net_quantity = 0;
    this.state.net_value = 0;
  }

  #isUnpriced({ src, price, usd_base_rate: baseRate, quote_usd_rate: quoteRate }: QuantityOrder): boolean {
    return this.#rules.unpricedSources.has(src) && [price, baseRate, quoteRate].includes(0);
  }

  /** The gain as of an order, with what the order realizes added to the state. Undefined without an account. */
  #gain(order: QuantityOrder): number | undefined {
    const { state } = this;
    const { lotSize, accountSize } = this.#terms;
    const { price, quote_usd_rate: rate } = order;
    const quantity = order.quantity ?? 0;
    if (order.order_type !== state.position_type || state.position_type === 'FLAT') {
      const exit = filledPrice(order, this.#rules.slippageFromMs);
      const realized = -(exit - state.average_entry_price) * (quantity * lotSize) * rate;
      if (this.#rules.realizesInOrder) order.realized_pnl = realized;
      state.realized_pnl += realized;
    }
    const [net, next] = [state.net_quantity, state.net_quantity + quantity];
    const remaining = Math.abs(net) <= Math.abs(next) ? net : next;
    state.unrealized_pnl = (price - state.average_entry_price) * (remaining * lotSize) * rate;
    if (state.cumulative_entry_value === 0) return 0;
    return accountSize === 0 ? undefined : (state.realized_pnl + state.unrealized_pnl) / accountSize;
  }

  /** Takes an order that left the position open into its average price and its nets. */
  #enter(order: QuantityOrder): void {
    const { state } = this;
    const quantity = order.quantity ?? 0;
    const newNet = state.net_quantity + quantity;
    if (order.order_type === state.position_type) {
      const entry = filledPrice(order, this.#rules.slippageFromMs);
      state.average_entry_price =
        (state.average_entry_price * state.net_quantity + entry * quantity) / newNet;
      state.cumulative_entry_value += order.value ?? 0;
    }
    state.net_quantity = newNet;
    state.net_leverage += order.leverage;
    state.net_value = order.price * order.quote_usd_rate * (newNet * this.#terms.lotSize);
  }
}

/**
 * Accounts a position from its orders as validators do that count in quantities, in the order of the list, which need
 * not be the order of time; orders behind the one that closes it change nothing but fees. The operations on numbers are
 * in the validator's order, so that results agree to the last digits.
 *
 * @param input at least one; they are not changed.
 */
export function accountQuantities(
  input: readonly QuantityOrder[],
  terms: QuantityTerms,
  rules: QuantityRules,
): QuantityResult {
  const orders = input.map((order) => ({ ...order }));
  for (const order of orders) completeRates(order, terms);
  const [first] = orders;
  if (first === undefined) return { ok: false, reason: 'there are no orders' };
  if (Number.isNaN(first.leverage) || (first.leverage === 0 && !rules.closesAtZero)) {
    return { ok: false, reason: `the first order has a leverage of ${first.leverage}` };
  }
  const initialPrice = filledPrice(first, rules.slippageFromMs);
  if (!(initialPrice > 0)) return { ok: false, reason: `the first order has a price of ${initialPrice}` };
  const ledger = new QuantityLedger(orders, first, terms, rules);
  for (const order of orders) {
    const reason = ledger.add(order);
    if (reason !== undefined) return { ok: false, reason };
    if (ledger.state.is_closed_position) break;
  }
  ledger.settleFees();
  return { ok: true, accounting: ledger.state, orders, isLiquidated: ledger.isLiquidated };
}
