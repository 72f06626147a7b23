import { floatText, isJsonObject, JsonNumber, pythonRepr, pythonTypeName } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { pairText } from './pairs.ts';
import type { SignalPair } from './pairs.ts';
import { PythonError, toUpper, valueError } from './python-values.ts';

export const ORDER_TYPES = ['LONG', 'SHORT', 'FLAT'] as const;
export type OrderType = (typeof ORDER_TYPES)[number];

/** A signal that was understood. */
export interface ReadSignal {
  /** What is written to its file and sent to validators. */
  readonly content: JsonObject;
  /** What the answer says was received, as Python prints it. */
  readonly text: string;
  /** The name that the signal asks for; undefined where it gets a fresh UUID. */
  readonly uuid: string | undefined;
}

/** `body[name]`. @throws PythonError */
export function required(body: JsonObject, name: string): JsonValue {
  const value = body.get(name);
  if (value === undefined) throw new PythonError(`'${name}'`);
  return value;
}

/** What the request calls the pair: an id, or an object that holds one. @throws PythonError */
export function pairId(body: JsonObject): JsonValue {
  const pair = required(body, 'trade_pair');
  if (typeof pair === 'string') return pair;
  if (!isJsonObject(pair)) throw new PythonError('trade_pair must be a string or a dict');
  const id = required(pair, 'trade_pair_id');
  if (Array.isArray(id) || isJsonObject(id)) {
    throw new PythonError(`unhashable type: '${pythonTypeName(id)}'`);
  }
  return id;
}

/** @throws PythonError */
export function orderType(body: JsonObject): OrderType {
  const upper = toUpper(required(body, 'order_type'));
  const found = ORDER_TYPES.find((known) => known === upper);
  if (found !== undefined) return found;
  throw valueError(
    `No matching order type found for value '${upper}'. Please check the input and try again.`,
  );
}

/** The size of an order as it is kept: SHORT is negative, however it was sent. */
export function signedSize(type: OrderType, size: number): number {
  return type === 'SHORT' ? -Math.abs(size) : size;
}

/** A number of the body, or what is not there, as Python prints it. */
export function optionalText(value: number | undefined): string {
  return value === undefined ? 'None' : floatText(value);
}

export function optionalJson(value: number | undefined): JsonValue {
  return value === undefined ? null : JsonNumber.float(value);
}

/** The Python text of a signal: a dict whose pair is the text of a dict. */
export function signalText(
  pair: SignalPair,
  type: OrderType,
  members: readonly (readonly [string, string])[],
): string {
  const rest = members.map(([name, text]) => `, '${name}': ${text}`).join('');
  return `{'trade_pair': ${pythonRepr(pairText(pair))}, 'order_type': '${type}'${rest}}`;
}
