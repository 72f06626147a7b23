import { combineDigests, storedSegment } from '@ptn-api/positions';
import type { Segment } from '@ptn-api/positions';
import type { Tier } from '@ptn-api/protocol';
import { segmentKey } from '@ptn-api/runtime';
import type { MinerValue, SegmentReference } from '@ptn-api/runtime';

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
  /** Those with a key of their own, by digest: the next value may refer to them, too. */
  readonly shared: ReadonlyMap<string, Segment>;
  readonly digest: ByTier<string>;
  /** The generation in which the value at that tier last changed. */
  readonly changedAt: ByTier<number>;
}

/** What a worker knows of a miner when a value of it arrives. */
export interface KnownOfMiner {
  /** Segments that arrived with it, by key. */
  readonly arrived: ReadonlyMap<string, Segment>;
  readonly previous: MinerState | undefined;
  /** What was held of it before, where a full state took its place: what is the same is no change. */
  readonly held: MinerState | undefined;
}

/**
 * The state of a miner in a generation.
 *
 * @throws Error when the value refers to a segment that was never sent.
 */
export function minerState(
  hotkey: string,
  value: MinerValue,
  { arrived, previous, held }: KnownOfMiner,
): MinerState {
  const shared = new Map<string, Segment>();
  const segmentOf = (reference: SegmentReference): Segment => {
    if (typeof reference !== 'string') return reference;
    const segment = arrived.get(segmentKey(hotkey, reference)) ?? previous?.shared.get(reference);
    if (segment === undefined) throw new Error(`a segment of ${hotkey} was never sent`);
    shared.set(reference, segment);
    return segment;
  };
  const segments = byTier((tier) => [...value.settled, ...value.live[tier]].map(segmentOf));
  const digest = byTier((tier) => combineDigests(segments[tier]));
  const changedAt = byTier((tier) =>
    held?.digest[tier] === digest[tier] ? held.changedAt[tier] : value.changedAt[tier],
  );
  const label = held?.label ?? storedSegment(`${JSON.stringify(hotkey)}: `);
  return { hotkey, label, segments, shared, digest, changedAt };
}
