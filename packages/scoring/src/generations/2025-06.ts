import { generation202505 } from './2025-05.ts';
import type { Generation } from './generation.ts';
import { risingMinimum } from './minimum-days.ts';

const DAY_MS = 86_400_000;
const WINDOW_MS = 120 * DAY_MS;
const DECAY = { rate: 0.075, min: 0.15, max: 1 };

/** Summer 2025: a longer window, later days weigh more, and the challenge period asks for more and more days. */
export const generation202506: Generation = {
  ...generation202505,
  name: '2025-06',
  ledger: { ...generation202505.ledger, windowMs: WINDOW_MS },
  lookBackMs: WINDOW_MS,
  metricTerms: { ...generation202505.metricTerms, decay: DECAY, pnlDecay: DECAY },
  challenge: {
    ...generation202505.challenge,
    challengeMs: 150 * DAY_MS,
    minimumDays: risingMinimum,
  },
};
