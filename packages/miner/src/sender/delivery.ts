import type { Validator } from './validators.ts';

export const MAX_ATTEMPTS = 3;

/** Before the second attempt and before the third. */
export interface RetryTimes {
  readonly secondAfterMs: number;
  readonly thirdAfterMs: number;
}

export const RETRY_TIMES: RetryTimes = { secondAfterMs: 20_000, thirdAfterMs: 40_000 };

/** What one attempt to hand a signal to a validator came to. */
export type AttemptResult =
  | { readonly kind: 'accepted'; readonly orderJson: string }
  /** The validator refused the order, and says why. */
  | { readonly kind: 'refused'; readonly text: string }
  /** The request cannot have reached the validator's order book. */
  | { readonly kind: 'undelivered'; readonly text: string }
  /** The request may have been handled: no answer, or none that can be read. */
  | { readonly kind: 'unknown'; readonly text: string };

/** How far a signal has come at one validator. */
export interface Delivery {
  readonly validator: Validator;
  /** Attempts that came to an end. One that the miner's own death cut off does not count. */
  readonly results: readonly AttemptResult[];
  /** Whether an earlier attempt may have been handled. */
  readonly mayBeHandled: boolean;
}

export function newDelivery(validator: Validator): Delivery {
  return { validator, results: [], mayBeHandled: false };
}

/**
 * How validators refuse an order whose uuid they have accepted. After an attempt whose fate is unknown it means that the
 * order is in: it is the answer that was lost.
 */
function isAlreadyProcessed(text: string, uuid: string): boolean {
  return text.includes(`Order with uuid [${uuid}] has already been processed`);
}

/** The delivery after one more attempt. */
export function afterAttempt(delivery: Delivery, uuid: string, result: AttemptResult): Delivery {
  const isIn = delivery.mayBeHandled && result.kind === 'refused' && isAlreadyProcessed(result.text, uuid);
  return {
    ...delivery,
    results: [...delivery.results, isIn ? { kind: 'accepted', orderJson: '' } : result],
    mayBeHandled: delivery.mayBeHandled || result.kind === 'unknown',
  };
}

/** The order that the validator made of the signal, as the text it gave, which may be empty; undefined until then. */
export function acceptedOrder({ results }: Delivery): string | undefined {
  const last = results.at(-1);
  return last?.kind === 'accepted' ? last.orderJson : undefined;
}

/** Why the validator has not taken it, one text for each attempt. */
export function errorTexts({ results }: Delivery): string[] {
  return results.flatMap((result) => (result.kind === 'accepted' ? [] : [result.text]));
}

/** Whether a failed attempt is repeated: not at a validator without trust, unless it has answered lately. */
export function isRetried({ validator }: Delivery, recentlyAcked: ReadonlySet<string>): boolean {
  return validator.validatorTrust > 0 || recentlyAcked.has(validator.hotkey);
}

/** How long to wait before the next attempt; undefined where there is none. Refusals are tried again as well. */
export function nextAttemptAfterMs(
  delivery: Delivery,
  recentlyAcked: ReadonlySet<string>,
  { secondAfterMs, thirdAfterMs }: RetryTimes = RETRY_TIMES,
): number | undefined {
  const made = delivery.results.length;
  if (made === 0) return 0;
  if (acceptedOrder(delivery) !== undefined || made >= MAX_ATTEMPTS) return undefined;
  if (!isRetried(delivery, recentlyAcked)) return undefined;
  return made === 1 ? secondAfterMs : thirdAfterMs;
}
