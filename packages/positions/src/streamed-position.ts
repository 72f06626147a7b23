import { generationNamed } from './generations/generations.ts';
import { findMember } from './json/edit-object.ts';
import { sliceArray } from './json/slice.ts';
import { formatFloat } from './json/format-float.ts';
import type { PositionFacts } from './read-position.ts';

/** Of the fee in a trade pair. */
const FEE_INDEX = 2;

/**
 * The record of a position as messages of the order stream hold it: the validator writes some trade pairs with another
 * fee there than in its files. Every other byte is kept.
 *
 * @param text as `readPosition` returned it together with `facts`.
 */
export function streamedPosition(text: string, { generation }: Pick<PositionFacts, 'generation'>): string {
  const streamedFee = generationNamed(generation)?.streamedFee;
  const pair = streamedFee === undefined ? undefined : findMember(text, 0, 'trade_pair');
  if (streamedFee === undefined || pair === undefined) return text;
  const fee = streamedFee(JSON.parse(text.slice(pair.valueStart, pair.valueEnd)) as unknown[]);
  const span = sliceArray(text, pair.valueStart)[FEE_INDEX];
  if (fee === undefined || span === undefined) return text;
  return text.slice(0, span.start) + formatFloat(fee) + text.slice(span.end);
}
