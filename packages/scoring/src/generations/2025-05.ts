import { inspectByPercentile } from '../challenge/inspect-by-percentile.ts';
import { rankPercentile } from '../combination/percentiles.ts';
import { softmaxOfAll } from '../combination/softmax.ts';
import { dateOfStart } from '../daily-returns.ts';
import { calmar, omega, sharpe, sortino, statisticalConfidence } from '../metrics/metrics.ts';
import { drawdownThreshold, riskProfile } from '../penalties/penalty.ts';
import { weighByScore } from '../weights/weigh-by-score.ts';
import type { Generation } from './generation.ts';
import { fixedMinimum } from './minimum-days.ts';
import { wholePortfolio } from './segments.ts';

const DAY_MS = 86_400_000;
const DECAY = { rate: 0.08, min: 0.4, max: 1 };

/** Spring 2025: five metrics of equal weight, drawdown and risk profile, the best quarter is promoted. */
export const generation202505: Generation = {
  name: '2025-05',
  ledger: { cellMs: DAY_MS / 2, windowMs: 90 * DAY_MS },
  lookBackMs: 90 * DAY_MS,
  cellDate: dateOfStart,
  metricTerms: { annualRiskFree: 4.19 / 100, decay: DECAY, pnlDecay: DECAY },
  minimumDays: fixedMinimum(60),
  metrics: [
    { name: 'calmar', weight: 0.2, metric: calmar },
    { name: 'sharpe', weight: 0.2, metric: sharpe },
    { name: 'omega', weight: 0.2, metric: omega },
    { name: 'sortino', weight: 0.2, metric: sortino },
    { name: 'statistical_confidence', weight: 0.2, metric: statisticalConfidence },
  ],
  penalties: [
    { name: 'drawdown_threshold', penalty: drawdownThreshold },
    { name: 'risk_profile', penalty: riskProfile },
  ],
  segments: wholePortfolio(365),
  percentile: rankPercentile,
  softmax: softmaxOfAll,
  softmaxTemperature: 0.125,
  challenge: {
    challengeMs: 90 * DAY_MS,
    probationMs: undefined,
    minimumDays: () => 60,
    inspect: inspectByPercentile,
  },
  weigh: weighByScore({ min: 1.2e-5, max: 2.4e-5 }),
};
