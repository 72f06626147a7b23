import type { Tier } from '@ptn-api/protocol';
import type { PositionFacts } from '../read-position.ts';
import { cutPosition, withPastEntries } from './cut-position.ts';

export const DAY_MS = 86_400_000;

/** What a tier shows of a position at some moment. */
export type TierView =
  /** The text as it is. */
  | { readonly kind: 'same' }
  /** As it stood 24 h ago. The warning names what had to be guessed. */
  | { readonly kind: 'cut'; readonly text: string; readonly warning?: string }
  /**
   * Not at all: `no-orders`, all are younger than 24 h; `unsupported-generation`, nobody knows by which rules to cut it; `invalid-orders`, what remains cannot be accounted, and the warning says why.
   */
  | { readonly kind: 'dropped'; readonly reason: 'no-orders' | 'unsupported-generation' }
  | { readonly kind: 'dropped'; readonly reason: 'invalid-orders'; readonly warning: string };

/** The first whole ms at which something of `timeMs` is over `ageMs` ago. */
export function firstMsOlder(timeMs: number, ageMs: number): number {
  return Math.floor(timeMs + ageMs) + 1;
}

/**
 * What a tier shows of a position.
 *
 * @param text as `readPosition` returned it, with or without its price sources.
 * @param facts as `readPosition` returned them for it.
 * @param now Unix ms.
 */
export function positionAtTier(text: string, facts: PositionFacts, tier: Tier, now: number): TierView {
  const cutoffMs = now - DAY_MS;
  const isPast = (timeMs: number): boolean => timeMs < cutoffMs;
  if (facts.sampleBucket < tier) return { kind: 'same' };
  if (isPast(facts.delayedUntilMs)) {
    // What nobody knows may hold prices of today for as long as it is written anew.
    if (facts.delayed === 'left-out' && !facts.isClosed)
      return { kind: 'dropped', reason: 'unsupported-generation' };
    if (facts.entryTimesMs.every(isPast)) return { kind: 'same' };
    return { kind: 'cut', text: withPastEntries(text, isPast) };
  }
  if (facts.delayed === 'whole') return { kind: 'same' };
  if (facts.orderTimesMs.every((timeMs) => timeMs >= cutoffMs))
    return { kind: 'dropped', reason: 'no-orders' };
  if (facts.delayed === 'left-out') return { kind: 'dropped', reason: 'unsupported-generation' };
  const cut = cutPosition(text, (index) => isPast(facts.orderTimesMs[index] ?? Infinity), isPast);
  if (!cut.ok) {
    return {
      kind: 'dropped',
      reason: 'invalid-orders',
      warning: `position ${facts.positionUuid} is left out: ${cut.reason}`,
    };
  }
  if (cut.isPairKnown) return { kind: 'cut', text: cut.text };
  const warning = `position ${facts.positionUuid} has the unknown trade pair ${facts.tradePairId}: its delayed state is computed with the class closest to its fee`;
  return { kind: 'cut', text: cut.text, warning };
}

/**
 * The first moment after `now` (Unix ms) from which on a tier may show something else of the position although its
 * file does not change; Infinity if never. Up to it `positionAtTier` answers the same for every tier.
 */
export function nextTierChangeMs(facts: PositionFacts, now: number): number {
  const finalMs = firstMsOlder(facts.delayedUntilMs, DAY_MS);
  const isFinal = finalMs <= now;
  if (isFinal && facts.entryTimesMs.length === 0) return Infinity;
  let next = isFinal ? Infinity : finalMs;
  for (const times of [facts.orderTimesMs, facts.entryTimesMs]) {
    for (const timeMs of times) {
      const shownMs = firstMsOlder(timeMs, DAY_MS);
      if (shownMs > now && shownMs < next) next = shownMs;
    }
  }
  return next;
}

/** Whether a position is closed for over 24 h, with nothing younger in it: it is the same in every tier then, for good. */
export function isSettled(
  {
    closeMs,
    delayedUntilMs = closeMs ?? Infinity,
    entryTimesMs = [],
  }: Pick<PositionFacts, 'closeMs'> & Partial<Pick<PositionFacts, 'delayedUntilMs' | 'entryTimesMs'>>,
  now: number,
): boolean {
  const cutoffMs = now - DAY_MS;
  return closeMs !== null && delayedUntilMs < cutoffMs && entryTimesMs.every((timeMs) => timeMs < cutoffMs);
}
