import { floatText, pythonRepr } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import type { RulesPair } from '../trade-pairs.ts';
import { ORDER_LEVERAGE } from './leverage.ts';
import type { LeverageRefusal } from './leverage.ts';

// Texts as validators send them, which miners' programs may compare. Whole numbers of the table of pairs are ints.
const tableNumber = (value: number): string => (Number.isInteger(value) ? String(value) : floatText(value));

export const STOPPING = 'Validator is restarting due to update. Please try again later.';
export const OLD_MINER =
  'Please use the latest miner script that makes PI opt-in with the flag --run-position-inspector';
/** What stands for the uuid of an order that is no name for a file. */
export const BAD_UUID =
  'The uuid of an order must have 1 to 64 letters, digits and hyphens. Please try again with another one.';

/** The sender is not registered; validators answer so before anything else, with the HTTP status 403. */
export function unknownSender(hotkey: string): string {
  return `Forbidden. Key is blacklisted: ${hotkey}.`;
}

export function rateLimited(waitMs: number, request: 'SendSignal' | 'GetPositions' | 'GetDashData'): string {
  const seconds = floatText(waitMs / 1000);
  return `Rate limited. Please wait ${seconds} seconds before sending another signal. ${request}`;
}

/** Python names the path on the validator's machine. */
export function noStatisticsFile(hotkey: string): string {
  const error = "[Errno 2] No such file or directory: 'runnable/minerstatistics.json'";
  return `Error in GetData for [${hotkey}] with error [${error}].`;
}

export function noStatistics(validator: string, hotkey: string): string {
  return `Validator ${validator} has no stats for miner ${hotkey}`;
}

export function eliminated(hotkey: string, row: JsonValue): string {
  return (
    `This miner hotkey ${hotkey} has been eliminated and cannot participate in this subnet. ` +
    `Try again after re-registering. elimination_info ${pythonRepr(row)}`
  );
}

export function marketClosed(pairId: string): string {
  return (
    `Market for trade pair [${pairId}] is likely closed or this validator is having issues fetching live price. ` +
    'Please try again later.'
  );
}

export function halted(pairId: string): string {
  return `Trade pair [${pairId}] has been temporarily halted. Please try again with a different trade pair.`;
}

export function alreadyProcessed(uuid: string): string {
  return `Order with uuid [${uuid}] has already been processed. Please try again with a new order.`;
}

/** What goes wrong with the order itself is wrapped in this. */
export function processingError(hotkey: string, error: string): string {
  return `Error processing order for [${hotkey}] with error [${error}]`;
}

/** An error that Python shows with its type. */
export function signalException(text: string): string {
  return `(SignalException(...), ${pythonRepr(text)})`;
}

export function unknownPair(hotkey: string, signal: JsonValue): string {
  return signalException(`miner [${hotkey}] incorrectly sent trade pair. Raw signal: ${pythonRepr(signal)}`);
}

export function noPrice(hotkey: string, pair: RulesPair): string {
  const { id, label, fee, minLeverage, maxLeverage, assetClass } = pair;
  const pairText =
    `{'trade_pair_id': '${id}', 'trade_pair': '${label}', 'fees': ${tableNumber(fee)}, ` +
    `'min_leverage': ${tableNumber(minLeverage)}, 'max_leverage': ${tableNumber(maxLeverage)}, ` +
    `'trade_pair_category': <TradePairCategory.${assetClass.toUpperCase()}: '${assetClass}'>}`;
  return signalException(
    `Ignoring order for [${hotkey}] due to no live prices being found for trade_pair [${pairText}]. ` +
      'Please try again.',
  );
}

export function badOrderType(orderType: string): string {
  return `No matching order type found for value '${orderType}'. Please check the input and try again.`;
}

/** @param order as Python prints it. */
export function tooManyOpenOrders(count: number, maxOrders: number, order: string): string {
  return signalException(
    `miner sent too many open orders [${count}] > [${maxOrders}] and order [${order}] is not a FLAT order.`,
  );
}

function dateText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** Times in Unix ms. */
export function tooSoon(pairId: string, lastMs: number, nowMs: number, cooldownMs: number): string {
  return signalException(
    `Order for trade pair [${pairId}] was placed too soon after the previous order. ` +
      `Last order was placed at [${dateText(lastMs)}] and current order was placed at [${dateText(nowMs)}].` +
      `Please wait ${floatText((cooldownMs - (nowMs - lastMs)) / 1000)} seconds before placing another order.`,
  );
}

export function badLeverage(hotkey: string, pair: RulesPair, refusal: LeverageRefusal): string {
  const below = (min: number): string =>
    `Miner ${hotkey} attempted to set ${pair.id} position leverage below min_position_leverage ${tableNumber(min)}`;
  switch (refusal.kind) {
    case 'closed':
      return 'Miner attempted to add order to a closed/liquidated position. Ignoring.';
    case 'not-traded':
      return `Trade pair ${pair.id} is not traded at this time`;
    case 'portfolio-exceeded':
      return `Miner ${hotkey} attempted to exceed max adjusted portfolio leverage of ${refusal.cap}. Ignoring order.`;
    case 'max-exceeded':
      return (
        `Miner ${hotkey} attempted to exceed max leverage ${tableNumber(pair.maxLeverage)} ` +
        `for trade pair ${pair.id}. Ignoring order.`
      );
    case 'below-min':
      return below(refusal.min);
    case 'below-min-over-portfolio':
      return `${below(refusal.min)} while exceeding max_portfolio_leverage ${refusal.cap}`;
    case 'below-order-min':
      return (
        `Clamped order leverage [${floatText(refusal.leverage)}] is below ValiConfig.ORDER_MIN_LEVERAGE ` +
        String(ORDER_LEVERAGE.min)
      );
  }
}

export const BAD_ENTRY_PRICE = 'Initial entry price must be > 0';
