/**
 * Data freshness tiers: the share of positions shown in real time, in per cent. The rest is delayed 24 h.
 * Every tier shows a superset of what the next lower one shows.
 */
export const TIERS = [0, 30, 50, 100] as const;

export type Tier = (typeof TIERS)[number];

/** True for the four numbers that are tiers; text such as `"30"` is not one. */
export function isTier(value: unknown): value is Tier {
  return (TIERS as readonly unknown[]).includes(value);
}

/** The highest tier that is not above `access`, a number of at least 0: 75 gives 50. */
export function tierAtMost(access: number): Tier {
  let tier: Tier = 0;
  for (const candidate of TIERS) {
    if (candidate <= access) tier = candidate;
  }
  return tier;
}
