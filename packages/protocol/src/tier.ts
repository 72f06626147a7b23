/**
 * Data freshness tiers: the share of positions shown in real time, in per cent. The rest is delayed 24 h.
 * Every tier shows a superset of what the next lower one shows.
 */
export const TIERS = [0, 30, 50, 100] as const;

export type Tier = (typeof TIERS)[number];

/**
 * What a key may have: the tiers of data, and above them what today's validators grant their own services: 200 for
 * entities and development, 500 for administration. All from 100 on see all data in real time.
 */
export const KEY_TIERS = [...TIERS, 200, 500] as const;

export type KeyTier = (typeof KEY_TIERS)[number];

/** The highest tier of a key that is not above `access`, a number of at least 0: 75 gives 50, 250 gives 200. */
export function keyTierAtMost(access: number): KeyTier {
  return KEY_TIERS.findLast((tier) => tier <= access) ?? 0;
}

/** The data that a key of this tier sees. */
export function dataTier(tier: KeyTier): Tier {
  return tier > 100 ? 100 : (tier as Tier);
}
