import { combineDigests } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import type { EncodedValue, MinerValue } from '@ptn-api/runtime';

interface Shown {
  readonly digest: string;
  readonly changedAt: number;
}

/**
 * In which generation what a tier shows of a miner last changed. Sent with every value, so that each worker answers the
 * same, however many generations reach it as one, and nothing betrays to a tier changes that it does not show.
 */
export class TierChanges {
  readonly #shown = new Map<string, ReadonlyMap<Tier, Shown>>();

  /** Takes note of what is published of a miner in a generation. */
  note(hotkey: string, { settled, live }: EncodedValue, generation: number): MinerValue['changedAt'] {
    const before = this.#shown.get(hotkey);
    const shown = new Map(
      TIERS.map((tier): [Tier, Shown] => {
        const digest = combineDigests([...settled, live[tier]]);
        const last = before?.get(tier);
        return [tier, { digest, changedAt: last?.digest === digest ? last.changedAt : generation }];
      }),
    );
    this.#shown.set(hotkey, shown);
    const at = (tier: Tier): number => shown.get(tier)?.changedAt ?? generation;
    return { 0: at(0), 30: at(30), 50: at(50), 100: at(100) };
  }

  /** The miner is no more. */
  forget(hotkey: string): void {
    this.#shown.delete(hotkey);
  }
}
