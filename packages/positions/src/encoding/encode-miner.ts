import type { Tier } from '@ptn-api/protocol';
import type { Segment } from '../gzip/segment.ts';
import { encodeGroup, encodeTails } from './live-part.ts';
import type { EncodedGroup } from './live-part.ts';
import { appendSettled, restripBlock } from './settled-blocks.ts';
import type { EncodeOptions, PositionText, SettledBlock } from './settled-blocks.ts';

/** A block and its place among the blocks of its miner. */
export type PlacedBlock = readonly [index: number, block: SettledBlock];

/** What has to be compressed again of one miner. */
export interface EncodeMinerInput extends EncodeOptions {
  /** Blocks with orders that have become too old for their price sources. */
  readonly outdated: readonly PlacedBlock[];
  /** The miner's last block, where `settling` is not empty. */
  readonly last?: PlacedBlock;
  /** Live positions that have become settled, in order, to be appended to the last block. */
  readonly settling: readonly PositionText[];
  /** Live positions in groups, those that are to be encoded. */
  readonly groups: readonly (readonly PositionText[])[];
  /** The members of the value after `positions`, as JSON text without braces. */
  readonly rest: string;
}

export interface EncodedMiner {
  /** In the order of the input. */
  readonly groups: readonly EncodedGroup[];
  /** The end of the miner's value, by tier. */
  readonly tails: Readonly<Record<Tier, Segment>>;
  /** New and replaced blocks by their index. */
  readonly blocks: readonly PlacedBlock[];
}

/** Compresses what changed of one miner. */
export function encodeMiner(input: EncodeMinerInput): EncodedMiner {
  const blocks = new Map<number, SettledBlock>();
  for (const [index, block] of input.outdated) blocks.set(index, restripBlock(block, index === 0, input));
  if (input.last !== undefined) {
    const [index, block] = input.last;
    appendSettled(blocks.get(index) ?? block, input.settling, input).forEach((appended, offset) => {
      blocks.set(index + offset, appended);
    });
  }
  return {
    blocks: [...blocks],
    groups: input.groups.map((positions) => encodeGroup(positions, input)),
    tails: encodeTails(input.rest),
  };
}
