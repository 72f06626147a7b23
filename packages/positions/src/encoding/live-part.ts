import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import { deflateSegment, storedSegment } from '../gzip/segment.ts';
import type { Segment } from '../gzip/segment.ts';
import { nextStripMs, stripPriceSources } from '../tiers/strip-price-sources.ts';
import { nextTierChangeMs, positionAtTier } from '../tiers/tier-filter.ts';
import type { EncodeOptions, PositionText } from './settled-blocks.ts';

/** Live positions that follow each other, at every tier. */
export interface EncodedGroup {
  /** Their texts with separators in between; `null` where none is shown. Tiers that show the same share one object. */
  readonly segments: Readonly<Record<Tier, Segment | null>>;
  /** Unix ms at which they must be encoded again although no file changed; Infinity if never. */
  readonly changeMs: number;
  /** Positions that were left out of the delayed share because their generation cannot be cut. */
  readonly unsupported: number;
  readonly warnings: readonly string[];
}

/** Summaries are some 150 bytes; a longer one (unknown members of an outputs file) is compressed. */
const STORED_MAX_BYTES = 4096;

/** Encodes live positions for every tier, in the order of the dashboard map. */
export function encodeGroup(positions: readonly PositionText[], { now, strip }: EncodeOptions): EncodedGroup {
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
  const segmentOf = (tier: Tier): Segment | null => {
    const text = pieces[tier].join(', ');
    if (text === '') return null;
    let segment = encoded.get(text);
    if (segment === undefined) encoded.set(text, (segment = deflateSegment(text)));
    return segment;
  };
  const segments = { 0: segmentOf(0), 30: segmentOf(30), 50: segmentOf(50), 100: segmentOf(100) };
  return { segments, changeMs, unsupported, warnings };
}

/**
 * The end of a miner's value, behind its positions, for every tier.
 *
 * @param rest the members of the value after `positions`, as JSON text without braces; may be empty.
 */
export function encodeTails(rest: string): Record<Tier, Segment> {
  const tail = (tier: Tier): Segment => {
    const text = `], ${rest === '' ? '' : `${rest}, `}"tier": ${tier}}`;
    return Buffer.byteLength(text) > STORED_MAX_BYTES ? deflateSegment(text) : storedSegment(text);
  };
  return { 0: tail(0), 30: tail(30), 50: tail(50), 100: tail(100) };
}
