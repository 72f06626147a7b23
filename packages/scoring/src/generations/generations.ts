import { generation202502 } from './2025-02.ts';
import { generation202505 } from './2025-05.ts';
import { generation202506 } from './2025-06.ts';
import { generation202511 } from './2025-11.ts';
import { generation202512 } from './2025-12.ts';
import type { Generation } from './generation.ts';

/** The rules of the network as they were at five times. Those of spring 2024 are of another kind: `../generation-2024/`. */
export const SCORING_GENERATIONS = {
  '2025-02': generation202502,
  '2025-05': generation202505,
  '2025-06': generation202506,
  '2025-11': generation202511,
  '2025-12': generation202512,
} as const satisfies Readonly<Record<string, Generation>>;

export type ScoringGenerationName = keyof typeof SCORING_GENERATIONS;

export const DEFAULT_SCORING_GENERATION: ScoringGenerationName = '2025-05';
