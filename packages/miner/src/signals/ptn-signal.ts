import { floatText, JsonNumber } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { PTN_PAIRS, pairChoices } from './pairs.ts';
import { toFloat, valueError } from './python-values.ts';
import { orderType, pairId, required, signalText, signedSize } from './signal-fields.ts';
import type { ReadSignal } from './signal-fields.ts';

const [MIN_LEVERAGE, MAX_LEVERAGE] = [0.001, 500];

/** A request of PTN's generation of May 2025, checked in its order. @throws PythonError */
export function readPtnSignal(body: JsonObject): ReadSignal {
  const id = pairId(body);
  const sent = toFloat(required(body, 'leverage'));
  const type = orderType(body);
  const pair = typeof id === 'string' ? PTN_PAIRS.get(id) : undefined;
  const leverage = signedSize(type, sent);
  const size = Math.abs(leverage);
  if (pair === undefined) {
    throw valueError(
      `1 validation error for Signal\ntrade_pair\n  Input should be ${pairChoices(PTN_PAIRS)} [type=enum, input_value=None, input_type=NoneType]`,
    );
  }
  if (type !== 'FLAT' && !(size >= MIN_LEVERAGE && size <= MAX_LEVERAGE)) {
    throw valueError(
      `1 validation error for Signal\n  Value error, Order leverage must be between ${MIN_LEVERAGE} and ${MAX_LEVERAGE}, provided - lev [${floatText(sent)}] and order_type [${type}] (<enum 'OrderType'>) [type=value_error]`,
    );
  }
  if (type === 'LONG' && leverage < 0) {
    throw valueError(
      `1 validation error for Signal\nleverage\n  Value error, Leverage must be positive for LONG orders. [type=value_error, input_value=${floatText(leverage)}, input_type=float]`,
    );
  }
  return {
    content: new Map<string, JsonValue>([
      ['trade_pair', pair.json],
      ['order_type', type],
      ['leverage', JsonNumber.float(leverage)],
    ]),
    text: signalText(pair, type, [['leverage', floatText(leverage)]]),
    uuid: undefined,
  };
}
