import { deflateSegment, inflateSegment, storedSegment } from '../gzip/segment.ts';
import type { Segment } from '../gzip/segment.ts';
import { sliceArray } from '../json/slice.ts';
import { readPosition } from '../read-position.ts';
import type { PositionFacts } from '../read-position.ts';
import { nextStripMs, stripPriceSources } from '../tiers/strip-price-sources.ts';
import type { SummarizedPosition } from '../tiers/summary.ts';

/** A position as its JSON text and the numbers that decide its tier. */
export interface PositionText {
  readonly text: string;
  readonly facts: PositionFacts;
}

/** What is kept of a settled position, whose text is in a block: its part in the summary fields. */
export function summarized({ openMs, closeMs, returnAtClose }: PositionFacts): SummarizedPosition {
  return { openMs, closeMs, returnAtClose };
}

/**
 * A run of settled positions, compressed together. The blocks of a miner, joined, are the beginning of its value:
 * the first block opens it, each later one begins with the separator.
 */
export interface SettledBlock {
  readonly segment: Segment;
  readonly count: number;
  /** Unix ms at which an order in it gets too old for its price sources; Infinity when none is left. */
  readonly stripMs: number;
}

/** What every miner's value begins with. */
const OPENING = '{"positions": [';
const SEPARATOR = ', ';
/** Larger blocks compress a little better (0.5 % lost here, 6 % at 40 KB), smaller ones are cheaper to redo. */
const BLOCK_SIZE_BYTES = 256 * 1024;

/** Options shared by everything that encodes positions. */
export interface EncodeOptions {
  /** Unix ms. */
  readonly now: number;
  /**
   * Whether orders older than 7 days lose their price sources. True for the tree, whose files keep them; an outputs
   * file was written without them.
   */
  readonly strip: boolean;
}

interface Piece {
  readonly text: string;
  readonly stripMs: number;
}

function toPiece({ text, facts }: PositionText, { now, strip }: EncodeOptions): Piece {
  return strip
    ? { text: stripPriceSources(text, facts, now), stripMs: nextStripMs(facts, now) }
    : { text, stripMs: Infinity };
}

function makeBlock(
  head: string,
  pieces: readonly Piece[],
  countBefore: number,
  stripMsBefore: number,
): SettledBlock {
  let stripMs = stripMsBefore;
  for (const piece of pieces) stripMs = Math.min(stripMs, piece.stripMs);
  const text = head + pieces.map((piece) => piece.text).join(SEPARATOR);
  return { segment: deflateSegment(text), count: countBefore + pieces.length, stripMs };
}

/**
 * Adds positions behind the given last block of a miner, opening further blocks as it fills up.
 *
 * @returns the replacement of `last` (or itself where it was full), then the blocks after it.
 */
export function appendSettled(
  last: SettledBlock,
  positions: readonly PositionText[],
  options: EncodeOptions,
): SettledBlock[] {
  const extension: Piece[] = [];
  const further: Piece[][] = [];
  let group = extension;
  let sizeBytes = last.segment.sizeBytes;
  for (const position of positions) {
    const piece = toPiece(position, options);
    if (sizeBytes + piece.text.length > BLOCK_SIZE_BYTES && last.count + group.length > 0) {
      group = [];
      further.push(group);
      sizeBytes = 0;
    }
    group.push(piece);
    sizeBytes += piece.text.length;
  }
  let extended = last;
  if (extension.length > 0) {
    const text = inflateSegment(last.segment).toString();
    extended = makeBlock(last.count > 0 ? text + SEPARATOR : text, extension, last.count, last.stripMs);
  }
  return [extended, ...further.map((pieces) => makeBlock(SEPARATOR, pieces, 0, Infinity))];
}

/** The blocks of a miner from all its settled positions, ordered by close time. At least one block. */
export function buildSettled(positions: readonly PositionText[], options: EncodeOptions): SettledBlock[] {
  return appendSettled({ segment: storedSegment(OPENING), count: 0, stripMs: Infinity }, positions, options);
}

/** The same block with the price sources removed that are too old by now. */
export function restripBlock(block: SettledBlock, isFirst: boolean, options: EncodeOptions): SettledBlock {
  const text = inflateSegment(block.segment).toString();
  const prefix = isFirst ? OPENING : SEPARATOR;
  const list = `[${text.slice(prefix.length)}]`;
  const pieces = sliceArray(list).map((span) => {
    const read = readPosition(list.slice(span.start, span.end));
    if (!read.ok) throw new Error(`a settled position no longer reads: ${read.reason}`);
    return toPiece(read, options);
  });
  return makeBlock(prefix, pieces, 0, Infinity);
}
