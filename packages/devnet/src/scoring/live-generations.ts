import { SCORING_GENERATIONS } from '@ptn-api/scoring';
import type { Generation } from '@ptn-api/scoring';

const { '2025-02': winter, '2025-05': spring, '2025-06': summer } = SCORING_GENERATIONS;

/**
 * The generations that a validator can be run by, by name. What later ones pay depends on emissions of the live chain, and
 * their ledgers on the size of accounts.
 */
export const LIVE_GENERATIONS: ReadonlyMap<string, Generation> = new Map(
  [winter, spring, summer].map((generation) => [generation.name, generation]),
);
