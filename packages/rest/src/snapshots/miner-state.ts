import { combineDigests, storedSegment } from '@ptn-api/positions';
import type { Segment } from '@ptn-api/positions';
import type { Tier } from '@ptn-api/protocol';
import type { MinerValue } from '@ptn-api/runtime';

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

/**
 * The state of a miner in a generation.
 *
 * @param held What was held of it before, where a full state took its place: what is the same is no change.
 */
export function minerState(hotkey: string, value: MinerValue, held: MinerState | undefined): MinerState {
  const segments = byTier((tier) => [...value.settled, value.live[tier]]);
  const digest = byTier((tier) => combineDigests(segments[tier]));
  const changedAt = byTier((tier) =>
    held?.digest[tier] === digest[tier] ? held.changedAt[tier] : value.changedAt[tier],
  );
  const label = held?.label ?? storedSegment(`${JSON.stringify(hotkey)}: `);
  return { hotkey, label, segments, digest, changedAt };
}
