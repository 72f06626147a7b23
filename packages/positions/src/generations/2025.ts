import type { PositionGeneration } from './generation.ts';
import { LEVERAGE_RULES } from './leverage-rules.ts';

/** Up to August 2025: no account size. */
export const generation2025: PositionGeneration = {
  name: '2025',
  recognises: () => true,
  delayed: 'cut',
  rules: LEVERAGE_RULES,
};
