import { cutPosition } from '@ptn-api/core';
import type { PositionFacts } from '@ptn-api/core';

/** The JSON text of a position as it stood after the order of that index, or why it cannot be told. */
export function positionAsOf(
  text: string,
  facts: PositionFacts,
  index: number,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string } {
  if (index === facts.orderTimesMs.length - 1) return { ok: true, text };
  if (facts.generation === 'quantity') return { ok: false, reason: 'record of a newer form' };
  return cutPosition(text, (order) => order <= index);
}
