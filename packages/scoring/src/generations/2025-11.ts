import { inspectByRank } from '../challenge/inspect-by-rank.ts';
import { strictPercentile } from '../combination/percentiles.ts';
import { softmaxOfNonZero } from '../combination/softmax.ts';
import { monthlyDebt } from '../debt/debt-rules.ts';
import { pnl } from '../metrics/metrics.ts';
import { minimumCollateral } from '../penalties/penalty.ts';
import { weighByDebt } from '../weights/weigh-by-debt.ts';
import { generation202506 } from './2025-06.ts';
import type { Generation } from './generation.ts';
import { dynamicMinimum } from './minimum-days.ts';
import { CRYPTO_AND_FOREX } from './segments.ts';

const DAY_MS = 86_400_000;

/** Autumn 2025: profit decides, asset classes compete by themselves, and miners are paid what they are owed. */
export const generation202511: Generation = {
  ...generation202506,
  name: '2025-11',
  metricTerms: {
    ...generation202506.metricTerms,
    annualRiskFree: 3.89 / 100,
    pnlDecay: { ...generation202506.metricTerms.decay, min: 0.045 },
  },
  minimumDays: dynamicMinimum,
  metrics: [
    ...generation202506.metrics.map((row) => ({ ...row, weight: 0.02 })),
    { name: 'pnl', weight: 0.9, metric: pnl },
  ],
  penalties: [...generation202506.penalties, { name: 'min_collateral', penalty: minimumCollateral }],
  segments: CRYPTO_AND_FOREX,
  percentile: strictPercentile,
  softmax: softmaxOfNonZero,
  softmaxTemperature: 0.15,
  challenge: {
    challengeMs: 90 * DAY_MS,
    probationMs: 60 * DAY_MS,
    minimumDays: () => 61,
    inspect: inspectByRank,
  },
  weigh: weighByDebt(monthlyDebt),
};
