import type { PositionGeneration } from './generation.ts';
import { LEVERAGE_RULES } from './leverage-rules.ts';

/** Since August 2025: every position has an account size, which its entry value is worked out with. */
export const accountSizeGeneration: PositionGeneration = {
  name: 'account-size',
  recognises: (record) => Object.hasOwn(record, 'account_size'),
  delayed: 'cut',
  rules: LEVERAGE_RULES,
};
