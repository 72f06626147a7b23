import { isJsonObject, JsonTextError, parseJson } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';

/** Signals have a few hundred bytes. */
export const MAX_SIGNAL_BYTES = 64 * 1024;

export type SignalFileRead =
  | { readonly ok: true; readonly signal: JsonObject; readonly pairId: string }
  | { readonly ok: false; readonly reason: string };

/** Quotes and braces as the Python miner loosens them: files written by hand are read, too. */
function loosened(text: string): string {
  return text
    .replaceAll("'", '"')
    .replaceAll('\\"', '"')
    .trim()
    .replace(/^"+|"+$/g, '')
    .replaceAll('"{', '{')
    .replaceAll('}"', '}');
}

function parsed(text: string): JsonValue | JsonTextError {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonTextError) return error;
    throw error;
  }
}

/** The signal in a file, with the id of its pair, by which its order is kept. */
export function readSignalFile(text: string): SignalFileRead {
  const strict = parsed(text);
  // A text in JSON is JSON again: written twice, as failed signals are.
  const value = isJsonObject(strict as JsonValue) ? strict : parsed(loosened(text));
  if (value instanceof JsonTextError) return { ok: false, reason: `it is no JSON: ${value.message}` };
  if (!isJsonObject(value)) return { ok: false, reason: 'it holds no object' };
  const pair = value.get('trade_pair');
  if (pair === undefined) return { ok: false, reason: "it has no 'trade_pair'" };
  const id = isJsonObject(pair) ? pair.get('trade_pair_id') : undefined;
  if (typeof id !== 'string') return { ok: false, reason: "its 'trade_pair' has no 'trade_pair_id'" };
  return { ok: true, signal: value, pairId: id };
}

/** Cancelling names the order by its uuid, so this kind of signal repeats one. */
export function isCancel(signal: JsonObject): boolean {
  return signal.get('execution_type') === 'LIMIT_CANCEL';
}
