import { combineDigests, storedSegment } from '@ptn-api/core';
import type { Segment } from '@ptn-api/core';
import type { Tier } from '@ptn-api/protocol';
import type { MinerValue } from '../../ipc/messages.ts';

type ByTier<Value> = Readonly<Record<Tier, Value>>;

function byTier<Value>(of: (tier: Tier) => Value): ByTier<Value> {
  return { 0: of(0), 30: of(30), 50: of(50), 100: of(100) };
}

/** One miner of the dashboard map, at all tiers. Never changes; a change makes a new one. */
export interface MinerState {
  readonly hotkey: string;
  /** What stands before the value in a map: `"<hotkey>": `. */
  readonly label: Segment;
  /** The value as segments. */
  readonly segments: ByTier<readonly Segment[]>;
  readonly digest: ByTier<string>;
  /** The generation in which the value at that tier last changed. */
  readonly changedAt: ByTier<number>;
}

/** Whether `next` could differ from what a client holds that has some earlier generation. */
export type Comparison = 'digests' | 'always-changed' | 'full-tier-changed';

/**
 * The state of a miner in a generation.
 *
 * @param comparison `digests`: unchanged since `previous` where the digests are equal, which is right only if no
 * generation lies between the two states; `always-changed`: changed in this generation at every tier;
 * `full-tier-changed`: at tier 100, and at the others where the digests are not equal.
 */
export function minerState(
  hotkey: string,
  value: MinerValue,
  generation: number,
  previous: MinerState | undefined,
  comparison: Comparison,
): MinerState {
  const segments = byTier((tier) => [...value.settled, value.live[tier]]);
  const digest = byTier((tier) => combineDigests(segments[tier]));
  const changedAt = byTier((tier) =>
    previous !== undefined &&
    previous.digest[tier] === digest[tier] &&
    (comparison === 'digests' || (comparison === 'full-tier-changed' && tier < 100))
      ? previous.changedAt[tier]
      : generation,
  );
  const label = previous?.label ?? storedSegment(`${JSON.stringify(hotkey)}: `);
  return { hotkey, label, segments, digest, changedAt };
}
