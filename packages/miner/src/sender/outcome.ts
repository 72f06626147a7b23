import { isJsonObject, JsonNumber, writeJson } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { acceptedOrder, errorTexts, isRetried } from './delivery.ts';
import type { Delivery } from './delivery.ts';

/** What becomes of a signal, as the file that says so. */
export interface Outcome {
  readonly isGood: boolean;
  readonly folder: 'processed' | 'failed';
  readonly content: string;
  /** For the log and for alerts; empty where all went well. */
  readonly reason: string;
}

export interface OutcomeOptions {
  /** False: what failed is written as if it had not; only the orders that are missing show it. */
  readonly writeFailed: boolean;
  readonly recentlyAcked: ReadonlySet<string>;
}

/** The signal with its pair by name alone. */
function signalData(signal: JsonObject): JsonObject {
  const pair = signal.get('trade_pair') ?? null;
  return new Map([
    ...signal,
    ['trade_pair', isJsonObject(pair) ? (pair.get('trade_pair_id') ?? null) : pair],
  ]);
}

/** Orders by validator: in the order in which they were accepted, by attempt and then by trust. */
function createdOrders(deliveries: readonly Delivery[]): JsonObject {
  return new Map(
    deliveries
      .flatMap((delivery) => {
        const order = acceptedOrder(delivery);
        return order === undefined ? [] : [{ delivery, order }];
      })
      .sort((a, b) => a.delivery.results.length - b.delivery.results.length)
      .map(({ delivery, order }) => [delivery.validator.hotkey, order]),
  );
}

function axonJson({ validator: { axon, hotkey, coldkey } }: Delivery): JsonObject {
  const integer = (value: number): JsonNumber => new JsonNumber(String(value));
  return new Map<string, JsonValue>([
    ['ip', axon.ip],
    ['port', integer(axon.port)],
    ['ip_type', integer(axon.ipType)],
    ['hotkey', hotkey],
    ['coldkey', coldkey],
    ['protocol', integer(axon.protocol)],
  ]);
}

/** The text of a failed signal's file. JSON in JSON: the tools of the network parse it twice. */
function failedText(
  signal: JsonValue,
  retry: readonly JsonObject[],
  errors: JsonObject,
  orders: JsonObject,
): string {
  const record = new Map<string, JsonValue>([
    ['original_signal', signal],
    ['validators_needing_retry', retry],
    ['error_messages_dict', errors],
    ['created_orders', orders],
  ]);
  return writeJson(writeJson(record));
}

/**
 * What a signal came to once no validator is asked any more. It has failed where a highly trusted validator has not
 * taken it, and where there was none to send it to.
 */
export function outcomeOf(
  signal: JsonObject,
  deliveries: readonly Delivery[],
  { writeFailed, recentlyAcked }: OutcomeOptions,
): Outcome {
  const open = deliveries.filter((delivery) => acceptedOrder(delivery) === undefined);
  const failed = open.filter(({ validator }) => validator.isHighTrust);
  const isGood = failed.length === 0 && deliveries.length > 0;
  const orders = createdOrders(deliveries);
  const reason =
    deliveries.length === 0
      ? 'there is no validator to send it to'
      : failed
          .map((delivery) => `${delivery.validator.hotkey}: ${errorTexts(delivery).at(-1) ?? ''}`)
          .join('; ');
  if (isGood || !writeFailed) {
    const content = writeJson(
      new Map<string, JsonValue>([
        ['signal_data', signalData(signal)],
        ['created_orders', orders],
      ]),
    );
    return { isGood, folder: 'processed', content, reason };
  }
  const retry = open.filter((delivery) => isRetried(delivery, recentlyAcked));
  const errors: JsonObject = new Map(
    deliveries
      .filter((delivery) => delivery.validator.isHighTrust && errorTexts(delivery).length > 0)
      .map((delivery) => [delivery.validator.hotkey, errorTexts(delivery)]),
  );
  return {
    isGood,
    folder: 'failed',
    content: failedText(signal, retry.map(axonJson), errors, orders),
    reason,
  };
}

/** A signal that could not be sent at all, or must not be: under the key `miner` stands why. */
export function unsentOutcome(signal: JsonValue, reason: string): Outcome {
  const errors: JsonObject = new Map([['miner', [reason]]]);
  return { isGood: false, folder: 'failed', content: failedText(signal, [], errors, new Map()), reason };
}
