import { lastMembers, sliceArray, sliceObject } from '../json/slice.ts';
import type { PositionFacts } from '../read-position.ts';
import { DAY_MS, firstMsOlder } from './tier-filter.ts';

/** Older orders are shown without the quotes that their price was taken from, which are most of their bytes. */
const SOURCES_SHOWN_MS = 7 * DAY_MS;

/** Where the list of price sources of an order stands, `null` if it has none. */
function sourcesOf(text: string, orderStart: number): { start: number; end: number } | null {
  const member = lastMembers(sliceObject(text, orderStart)).get('price_sources');
  if (member === undefined || text[member.valueStart] !== '[') return null;
  return { start: member.valueStart, end: member.valueEnd };
}

/**
 * The position with an empty list for the price sources of orders older than 7 days, every other byte being kept.
 *
 * @param text as `readPosition` returned it together with `facts`.
 * @param now Unix ms.
 */
export function stripPriceSources(text: string, facts: PositionFacts, now: number): string {
  const limitMs = now - SOURCES_SHOWN_MS;
  if (facts.priceSourceTimesMs.every((timeMs) => timeMs >= limitMs)) return text;
  const orders = lastMembers(sliceObject(text)).get('orders');
  const pieces: string[] = [];
  let copied = 0;
  for (const [index, { start }] of sliceArray(text, orders?.valueStart).entries()) {
    if ((facts.orderTimesMs[index] ?? Infinity) >= limitMs) continue;
    const sources = sourcesOf(text, start);
    if (sources === null) continue;
    pieces.push(text.slice(copied, sources.start), '[]');
    copied = sources.end;
  }
  pieces.push(text.slice(copied));
  return pieces.join('');
}

/** The first moment after `now` (Unix ms) at which `stripPriceSources` takes something more; Infinity if never. */
export function nextStripMs(facts: PositionFacts, now: number): number {
  let next = Infinity;
  for (const timeMs of facts.priceSourceTimesMs) {
    const strippedMs = firstMsOlder(timeMs, SOURCES_SHOWN_MS);
    if (strippedMs > now && strippedMs < next) next = strippedMs;
  }
  return next;
}
