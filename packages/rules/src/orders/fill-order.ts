import { pythonStr, rebuildPosition } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import type { OrderType, Position } from '@ptn-api/protocol';
import type { RulesPair } from '../trade-pairs.ts';
import type { IntakeGeneration } from './generations.ts';
import type { IntakeContext, MinerState, SignalRequest } from './intake-state.ts';
import { boundLeverage, portfolioLeverage } from './leverage.ts';
import { checkDraft, orderTypeOf } from './order-draft.ts';
import { orderPythonText } from './order-text.ts';
import type { FilledOrder } from './order-text.ts';
import { fillPrice, sourcesFor } from './price-source.ts';
import type { PriceSource } from './price-source.ts';
import * as refusals from './refusals.ts';

interface Refused {
  readonly kind: 'refused';
  readonly error: string;
}

interface PricedOrder {
  readonly kind: 'priced';
  /** With the leverage that was sent. */
  readonly order: FilledOrder;
  readonly isSlippageModelled: boolean;
}

/** What becomes of a signal for a known pair. */
export type Filling =
  | Refused
  /** A FLAT where nothing is open, which is taken and changes nothing. */
  | { readonly kind: 'nothing-open' }
  | {
      readonly kind: 'filled';
      readonly order: FilledOrder;
      /** With the order in it. */
      readonly position: Position;
      readonly isSlippageModelled: boolean;
    };

function refused(error: string): Refused {
  return { kind: 'refused', error };
}

/** What a signal asks for. */
interface Wanted {
  readonly orderType: OrderType;
  readonly leverage: JsonValue;
}

function wantedBy(signal: JsonObject): Wanted | Refused {
  const leverage = signal.get('leverage');
  // A missing member is named as Python names a missing key.
  if (leverage === undefined) return refused("'leverage'");
  const sentType = signal.get('order_type');
  if (sentType === undefined) return refused("'order_type'");
  const orderType = orderTypeOf(sentType);
  return orderType === undefined
    ? refused(refusals.badOrderType(pythonStr(sentType)))
    : { orderType, leverage };
}

/** The order at its price, as large as it was sent. */
function priceOrder(
  { slippage: slippageOf, capitalUsd }: IntakeGeneration,
  { orderType, leverage: sentLeverage }: Wanted,
  openedWith: OrderType,
  pair: RulesPair,
  [best, ...others]: readonly [PriceSource, ...PriceSource[]],
  orderUuid: string,
  { nowMs, slippageFeaturesOf }: IntakeContext,
): PricedOrder | Refused {
  const price = fillPrice(best, pair.assetClass === 'forex', orderType, openedWith, nowMs);
  const { bid, ask } = best;
  const draft = checkDraft({ orderType, leverage: sentLeverage, price, bid, ask });
  if (!draft.ok) return refused(draft.reason);
  const { leverage } = draft;
  const features = slippageFeaturesOf(pair.id);
  const slippage = slippageOf({ pair, leverage, bid, ask, timeMs: nowMs, capitalUsd, features });
  if (!slippage.ok) return refused(slippage.reason);
  const order: FilledOrder = {
    order_type: orderType,
    leverage,
    price,
    bid,
    ask,
    slippage: slippage.fraction,
    processed_ms: nowMs,
    order_uuid: orderUuid,
    price_sources: [best, ...others],
    src: 0,
  };
  return { kind: 'priced', order, isSlippageModelled: slippage.isModelled };
}

/** What is wrong with the number of orders, or with the time since the last one, if anything is. */
function pacingError(
  { maxOpenOrders, cooldownMs }: IntakeGeneration,
  { openPositions }: MinerState,
  { order, isSlippageModelled }: PricedOrder,
  pair: RulesPair,
): string | undefined {
  let openOrders = 0;
  for (const { orders } of openPositions.values()) openOrders += orders.length;
  if (openOrders >= maxOpenOrders && order.order_type !== 'FLAT') {
    const text = orderPythonText(order, pair.id, isSlippageModelled);
    return refusals.tooManyOpenOrders(openOrders, maxOpenOrders, text);
  }
  const lastMs = openPositions.get(pair.id)?.orders.at(-1)?.processed_ms;
  if (lastMs === undefined || order.processed_ms - lastMs >= cooldownMs) return undefined;
  return refusals.tooSoon(pair.id, lastMs, order.processed_ms, cooldownMs);
}

/**
 * Fills the order of a signal, and puts it into the miner's open position of the pair or a new one. The checks stand in
 * the order in which validators make them, as the first that fails gives its text.
 *
 * @throws RangeError where the stored orders of the open position cannot be accounted with the new one.
 */
export function fillOrder(
  generation: IntakeGeneration,
  miner: MinerState,
  { hotkey, signal, uuid }: SignalRequest,
  pair: RulesPair,
  context: IntakeContext,
): Filling {
  const { nowMs, pricesOf, newUuid } = context;
  const [best, ...others] = sourcesFor(pricesOf(pair.id), nowMs, generation.websocketMaxAgeMs);
  if (best === undefined) return refused(refusals.noPrice(hotkey, pair));
  const wanted = wantedBy(signal);
  if ('kind' in wanted) return wanted;
  const { orderType } = wanted;
  const open = miner.openPositions.get(pair.id);
  if (open === undefined && orderType === 'FLAT') return { kind: 'nothing-open' };
  const openedWith = open?.orders[0]?.order_type ?? orderType;
  const orderUuid = uuid === '' ? newUuid() : uuid;
  const priced = priceOrder(generation, wanted, openedWith, pair, [best, ...others], orderUuid, context);
  if (priced.kind === 'refused') return priced;
  const tooMany = pacingError(generation, miner, priced, pair);
  if (tooMany !== undefined) return refused(tooMany);
  const { order: sent, isSlippageModelled } = priced;
  const bounded = boundLeverage(
    {
      isFirstOrder: open === undefined,
      isClosed: open?.is_closed_position ?? false,
      netLeverage: open?.net_leverage ?? 0,
    },
    { orderType, leverage: sent.leverage },
    pair,
    portfolioLeverage(miner.openPositions.values()),
    nowMs,
  );
  if (!bounded.ok) return refused(refusals.badLeverage(hotkey, pair, bounded.refusal));
  if (open === undefined && !(sent.price > 0)) return refused(refusals.BAD_ENTRY_PRICE);
  const order: FilledOrder = { ...sent, order_type: bounded.orderType, leverage: bounded.leverage };
  const identity = open ?? {
    miner_hotkey: hotkey,
    position_uuid: uuid === '' ? newUuid() : uuid,
    trade_pair: pair.record,
  };
  const position = rebuildPosition(identity, [...(open?.orders ?? []), order]);
  return { kind: 'filled', order, position, isSlippageModelled };
}
