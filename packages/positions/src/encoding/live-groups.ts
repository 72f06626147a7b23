import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import { storedSegment } from '../gzip/segment.ts';
import type { Segment } from '../gzip/segment.ts';
import type { EncodedGroup } from './live-part.ts';
import type { PositionText } from './settled-blocks.ts';

/** About as many characters of positions are encoded together: a change of one position costs that of its group. */
const GROUP_SIZE = 64 * 1024;
const SEPARATOR = storedSegment(', ');

/** Live positions that follow each other, encoded together. */
export interface LiveGroup {
  readonly positions: readonly PositionText[];
  /** `null` while it is to be encoded. */
  readonly encoded: EncodedGroup | null;
}

/**
 * Whether a group ends behind a position. By its own content alone: one that comes or goes moves no other group's end,
 * and the same positions make the same groups in every run.
 */
function endsGroup({ text, facts }: PositionText): boolean {
  let hash = 0x811c9dc5;
  for (let index = 0; index < facts.positionUuid.length; index++) {
    hash = Math.imul(hash ^ facts.positionUuid.charCodeAt(index), 0x01000193);
  }
  // Like uuids must not end groups alike.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < text.length / GROUP_SIZE;
}

/**
 * Live positions in groups.
 *
 * @param held as they were encoded before; one with the same positions is taken over until its time has come
 */
export function groupsOf(
  positions: readonly PositionText[],
  held: readonly LiveGroup[],
  now: number,
): LiveGroup[] {
  const heldByFirst = new Map(held.map((group) => [group.positions[0], group]));
  const groups: PositionText[][] = [];
  let isEnded = true;
  for (const position of positions) {
    if (isEnded) groups.push([]);
    groups.at(-1)?.push(position);
    isEnded = endsGroup(position);
  }
  return groups.map((group) => {
    const known = heldByFirst.get(group[0]);
    const isSame =
      known?.positions.length === group.length &&
      known.positions.every((position, index) => position === group[index]) &&
      (known.encoded?.changeMs ?? 0) > now;
    return isSame ? known : { positions: group, encoded: null };
  });
}

/** The live part of a miner's value by tier: what its groups show, then its tail. */
export function joinGroups(
  groups: readonly LiveGroup[],
  tails: Readonly<Record<Tier, Segment>>,
  hasSettled: boolean,
): Record<Tier, Segment[]> {
  const live: Record<Tier, Segment[]> = { 0: [], 30: [], 50: [], 100: [] };
  for (const tier of TIERS) {
    const segments = live[tier];
    for (const { encoded } of groups) {
      const segment = encoded?.segments[tier] ?? null;
      if (segment === null) continue;
      if (hasSettled || segments.length > 0) segments.push(SEPARATOR);
      segments.push(segment);
    }
    segments.push(tails[tier]);
  }
  return live;
}
