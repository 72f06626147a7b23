import {
  deflateSegment,
  joinSegments,
  nextStripMs,
  nextTierChangeMs,
  positionAtTier,
  storedSegment,
  stripPriceSources,
} from '@ptn-api/positions';
import type { Segment } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import type { EncodeOptions, PositionText } from './settled-blocks.ts';

/** The end of a miner's value, by tier: its live positions, its summary fields and the tier. */
export interface LivePart {
  readonly live: Readonly<Record<Tier, Segment>>;
  /** Unix ms at which it must be encoded again although no file changed; Infinity if never. */
  readonly changeMs: number;
  /** Positions that were left out of the delayed share because their generation cannot be cut. */
  readonly unsupported: number;
  readonly warnings: readonly string[];
}

/** Summaries are some 150 bytes; a longer one (unknown members of an outputs file) is compressed. */
const STORED_MAX_BYTES = 4096;

/**
 * Encodes the live positions of a miner for every tier.
 *
 * @param positions in the order of the dashboard map.
 * @param hasSettled whether settled positions stand before them.
 * @param rest the members of the value after `positions`, as JSON text without braces; may be empty.
 */
export function encodeLive(
  positions: readonly PositionText[],
  hasSettled: boolean,
  rest: string,
  options: EncodeOptions,
): LivePart {
  const { now, strip } = options;
  const pieces: Record<Tier, string[]> = { 0: [], 30: [], 50: [], 100: [] };
  const warnings: string[] = [];
  let changeMs = Infinity;
  let unsupported = 0;
  for (const { text: original, facts } of positions) {
    const text = strip ? stripPriceSources(original, facts, now) : original;
    changeMs = Math.min(changeMs, nextTierChangeMs(facts, now), strip ? nextStripMs(facts, now) : Infinity);
    for (const tier of TIERS) {
      const shown = positionAtTier(text, facts, tier, now);
      if (shown.kind === 'same') pieces[tier].push(text);
      if (shown.kind === 'cut') pieces[tier].push(shown.text);
      // What is delayed in any tier is so in the lowest.
      if (tier !== 0) continue;
      if ('warning' in shown) warnings.push(shown.warning);
      if (shown.kind === 'dropped' && shown.reason === 'unsupported-generation') unsupported += 1;
    }
  }
  // Tiers often show the same (few positions are younger than 24 h): each distinct text is compressed once.
  const encoded = new Map<string, Segment>();
  const segmentOf = (tier: Tier): Segment => {
    const list = pieces[tier].join(', ');
    const tail = `], ${rest === '' ? '' : `${rest}, `}"tier": ${tier}}`;
    const tailSegment =
      Buffer.byteLength(tail) > STORED_MAX_BYTES ? deflateSegment(tail) : storedSegment(tail);
    if (list === '') return tailSegment;
    const text = hasSettled ? `, ${list}` : list;
    let segment = encoded.get(text);
    if (segment === undefined) {
      segment = deflateSegment(text);
      encoded.set(text, segment);
    }
    return joinSegments([segment, tailSegment]);
  };
  return {
    live: { 0: segmentOf(0), 30: segmentOf(30), 50: segmentOf(50), 100: segmentOf(100) },
    changeMs,
    unsupported,
    warnings,
  };
}
