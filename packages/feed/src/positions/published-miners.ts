import { combineDigests } from '@ptn-api/positions';
import type { EncodedValue, Segment } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import { segmentKey } from '@ptn-api/runtime';
import type { MinerValue, SegmentReference, Transaction } from '@ptn-api/runtime';

/** A segment of at most this size is sent with the value, as often as that is: a key would cost as much. */
const INLINE_MAX_BYTES = 1024;

interface Shown {
  readonly digest: string;
  readonly changedAt: number;
}

type Change = Pick<Transaction<'positions'>, 'put' | 'remove'>;

/** What was published of the miners, and so what a change of one has to hold. */
export class PublishedMiners {
  /** By tier, in which generation what it shows of a miner last changed. */
  readonly #shown = new Map<string, ReadonlyMap<Tier, Shown>>();
  /** Digests of the segments that have a key. */
  readonly #segments = new Map<string, ReadonlySet<string>>();

  /**
   * A miner in a generation: its value, and the segments that nobody holds yet. The value says when what each tier shows
   * last changed, so that each worker answers the same, however many generations reach it as one, and nothing betrays to
   * a tier changes that it does not show.
   */
  put(hotkey: string, { settled, live }: EncodedValue, generation: number): Change {
    const before = this.#segments.get(hotkey) ?? new Set();
    const segments = new Map<string, Segment>();
    const refer = (segment: Segment): SegmentReference => {
      if (segment.bytes.byteLength <= INLINE_MAX_BYTES) return segment;
      segments.set(segment.digest, segment);
      return segment.digest;
    };
    const byTier = <Value>(of: (tier: Tier) => Value) => ({ 0: of(0), 30: of(30), 50: of(50), 100: of(100) });
    const shown = this.#show(hotkey, { settled, live }, generation);
    const value: MinerValue = {
      kind: 'miner',
      settled: settled.map(refer),
      live: byTier((tier) => live[tier].map(refer)),
      changedAt: byTier((tier) => shown.get(tier)?.changedAt ?? generation),
    };
    this.#segments.set(hotkey, new Set(segments.keys()));
    return {
      put: [
        [`miner:${hotkey}`, value],
        ...[...segments]
          .filter(([digest]) => !before.has(digest))
          .map(([digest, segment]) => [segmentKey(hotkey, digest), { kind: 'segment', segment }] as const),
      ],
      remove: [...before]
        .filter((digest) => !segments.has(digest))
        .map((digest) => segmentKey(hotkey, digest)),
    };
  }

  /** The miner is no more. */
  remove(hotkey: string): Change {
    const segments = this.#segments.get(hotkey) ?? new Set();
    this.#segments.delete(hotkey);
    this.#shown.delete(hotkey);
    return { put: [], remove: [`miner:${hotkey}`, ...[...segments].map((key) => segmentKey(hotkey, key))] };
  }

  /** Nobody knows what arrived: every segment is sent again. */
  forgetSegments(): void {
    this.#segments.clear();
  }

  #show(hotkey: string, { settled, live }: EncodedValue, generation: number): ReadonlyMap<Tier, Shown> {
    const before = this.#shown.get(hotkey);
    const shown = new Map(
      TIERS.map((tier): [Tier, Shown] => {
        const digest = combineDigests([...settled, ...live[tier]]);
        const last = before?.get(tier);
        return [tier, { digest, changedAt: last?.digest === digest ? last.changedAt : generation }];
      }),
    );
    this.#shown.set(hotkey, shown);
    return shown;
  }
}
