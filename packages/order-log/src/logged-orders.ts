import { decodeDeltaOrder } from './deltas.ts';
import type { Environment } from './environment.ts';
import type { LoggedOrder } from './order-log.ts';
import { decodeHeader, deltaKey, messageKey, missing, opened } from './records.ts';

/**
 * The record of an order, in whichever of the two formats it was written; not checked yet.
 *
 * @throws OrderLogDamagedError when there is none.
 */
export function recordOf(environment: Environment, sequence: number): { isDelta: boolean; value: Buffer } {
  const delta = environment.getBinary(deltaKey(sequence));
  const value = delta ?? environment.getBinary(messageKey(sequence));
  if (value === undefined) throw missing(sequence);
  return { isDelta: delta !== undefined, value };
}

/** @throws OrderLogDamagedError when there is none, or it is not what was written. */
export function loggedOrder(environment: Environment, sequence: number): LoggedOrder {
  const { isDelta, value } = recordOf(environment, sequence);
  const { hotkey, tradePairId, orderUuid, timestampMs } = isDelta
    ? decodeDeltaOrder(sequence, value)
    : decodeHeader(opened(messageKey(sequence), value), 0);
  return { sequence, hotkey, tradePairId, orderUuid, timestampMs };
}
