import { pythonTypeName } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { VANTA_PAIRS } from './pairs.ts';
import { PythonError, toFloat, toUpper, valueError } from './python-values.ts';
import { optionalJson, optionalText, orderType, pairId, signalText, signedSize } from './signal-fields.ts';
import type { OrderType, ReadSignal } from './signal-fields.ts';

const SIZES = ['leverage', 'value', 'quantity'] as const;
const PRICES = ['limit_price', 'stop_loss', 'take_profit'] as const;
const EXECUTION_TYPES = ['MARKET', 'LIMIT', 'LIMIT_CANCEL', 'BRACKET'] as const;

type ExecutionType = (typeof EXECUTION_TYPES)[number];
type Amounts = Readonly<Record<(typeof SIZES)[number] | (typeof PRICES)[number], number | undefined>>;

/** Checked by Vanta before everything else, and answered otherwise: 401 `Invalid trade pair`. */
export class UnknownPairError extends Error {
  override readonly name = 'UnknownPairError';
}

function invalid(text: string): PythonError {
  return valueError(`1 validation error for Signal\n  Value error, ${text} [type=value_error]`);
}

function executionType(body: JsonObject): ExecutionType {
  const upper = toUpper(body.has('execution_type') ? (body.get('execution_type') ?? null) : 'MARKET');
  const found = EXECUTION_TYPES.find((known) => known === upper);
  if (found !== undefined) return found;
  throw valueError(
    `No matching execution type found for value '${upper}'. Valid values are: ${EXECUTION_TYPES.join(', ')}`,
  );
}

function checkSizes(execution: ExecutionType, amounts: Amounts): void {
  const given = SIZES.filter((name) => amounts[name] !== undefined);
  const isOptional = execution === 'BRACKET' && given.length === 0;
  if (execution === 'LIMIT_CANCEL' || isOptional || given.length === 1) return;
  const list = (names: readonly string[]): string => `[${names.map((name) => `'${name}'`).join(', ')}]`;
  throw invalid(`Exactly one of ${list(SIZES)} must be provided, got ${list(given)}`);
}

/** Below, by Python's rules: an absent price and one of 0 limit nothing. */
function isBelow(lower: number | undefined, upper: number | undefined): boolean {
  return !lower || !upper || lower < upper;
}

function checkLimit(type: OrderType, amounts: Amounts): void {
  const { limit_price: limit, stop_loss: stop, take_profit: take } = amounts;
  if (!limit) throw invalid('Limit price must be specified for LIMIT orders');
  if (type === 'LONG' && !(isBelow(stop, limit) && isBelow(limit, take))) {
    throw invalid(
      `LONG LIMIT orders must satisfy: stop_loss < limit_price < take_profit. Got stop_loss=${optionalText(stop)}, limit_price=${optionalText(limit)}, take_profit=${optionalText(take)}`,
    );
  }
  if (type === 'SHORT' && !(isBelow(take, limit) && isBelow(limit, stop))) {
    throw invalid(
      `SHORT LIMIT orders must satisfy: take_profit < limit_price < stop_loss. Got take_profit=${optionalText(take)}, limit_price=${optionalText(limit)}, stop_loss=${optionalText(stop)}`,
    );
  }
}

function checkBracket({ stop_loss: stop, take_profit: take }: Amounts): void {
  if (!stop && !take) throw invalid('Either stop_loss or take_profit must be set for BRACKET orders');
  if (stop === take) throw invalid('stop_loss and take_profit must be unique');
}

function checkSigns(type: OrderType, amounts: Amounts): void {
  const negative = SIZES.find((name) => (amounts[name] ?? 0) < 0);
  if (type === 'LONG' && negative !== undefined) {
    throw invalid(`${negative} must be positive for LONG orders.`);
  }
}

/** The name that the signal's file gets; an empty one counts as none. */
function orderUuid(body: JsonObject): string | undefined {
  const uuid: JsonValue = body.get('order_uuid') ?? (body.has('order_uuid') ? null : '');
  if (typeof uuid === 'string') return uuid === '' ? undefined : uuid;
  throw new PythonError(
    `join() argument must be str, bytes, or os.PathLike object, not '${pythonTypeName(uuid)}'`,
  );
}

/** What Vanta prints of each kind of order behind its sizes. */
function shownPrices(execution: ExecutionType, amounts: Amounts): (readonly [string, string])[] {
  if (execution === 'LIMIT') return PRICES.map((name) => [name, optionalText(amounts[name])] as const);
  return execution === 'BRACKET' ? [['Error', "'Unknown execution type'"]] : [];
}

/** A request of Vanta's generation of December 2025, checked in its order. @throws PythonError, UnknownPairError */
export function readVantaSignal(body: JsonObject): ReadSignal {
  const id = pairId(body);
  const pair = typeof id === 'string' ? VANTA_PAIRS.get(id) : undefined;
  if (pair === undefined) throw new UnknownPairError();
  const type = orderType(body);
  const read = (name: string): number | undefined => {
    const value = body.get(name);
    return value === undefined ? undefined : toFloat(value);
  };
  const sizes = Object.fromEntries(SIZES.map((name) => [name, read(name)]));
  const execution = executionType(body);
  const prices = Object.fromEntries(PRICES.map((name) => [name, read(name)]));
  const sent = { ...sizes, ...prices } as Amounts;
  checkSizes(execution, sent);
  if (execution === 'LIMIT') checkLimit(type, sent);
  if (execution === 'BRACKET') checkBracket(sent);
  checkSigns(type, sent);
  const kept = (name: (typeof SIZES)[number]): number | undefined => {
    const size = sent[name];
    return size === undefined ? undefined : signedSize(type, size);
  };
  return {
    content: new Map<string, JsonValue>([
      ['trade_pair', pair.json],
      ['order_type', type],
      ...SIZES.map((name) => [name, optionalJson(kept(name))] as const),
      ['execution_type', execution],
      ...PRICES.map((name) => [name, optionalJson(sent[name])] as const),
    ]),
    text: signalText(pair, type, [
      ...SIZES.map((name) => [name, optionalText(kept(name))] as const),
      ['execution_type', `'${execution}'`],
      ...shownPrices(execution, sent),
    ]),
    uuid: orderUuid(body),
  };
}
