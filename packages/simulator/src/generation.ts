/** The forms of records that the simulated validator can write, the oldest first; the names are those of `positions`. */
export const GENERATIONS = ['2025', 'account-size', 'quantity', '2026'] as const;
export type Generation = (typeof GENERATIONS)[number];

/** Whether every position has the size of the miner's account. */
export function hasAccountSize(generation: Generation): boolean {
  return generation !== '2025';
}

/** Whether orders have quantities and values, and may wait for a limit, a stop or a target. */
export function hasQuantities(generation: Generation): boolean {
  return generation === 'quantity' || generation === '2026';
}

/** Whether some miners trade for entities. */
export function hasEntities(generation: Generation): boolean {
  return generation === '2026';
}
