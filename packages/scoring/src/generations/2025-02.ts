import { dateOfEnd } from '../daily-returns.ts';
import { calmarOfAnyLength } from '../metrics/metrics.ts';
import { drawdownThreshold, martingale } from '../penalties/penalty.ts';
import { weighByScore } from '../weights/weigh-by-score.ts';
import { generation202505 } from './2025-05.ts';
import type { Generation } from './generation.ts';
import { wholePortfolio } from './segments.ts';

/** Early 2025: martingale instead of the risk profile, calmar without a minimum of days, cells dated by their end. */
export const generation202502: Generation = {
  ...generation202505,
  name: '2025-02',
  cellDate: dateOfEnd,
  metrics: generation202505.metrics.map((row) =>
    row.name === 'calmar' ? { ...row, metric: calmarOfAnyLength } : row,
  ),
  penalties: [
    { name: 'drawdown_threshold', penalty: drawdownThreshold },
    { name: 'martingale', penalty: martingale },
  ],
  segments: wholePortfolio(252),
  weigh: weighByScore({ min: 1.2e-5, max: 1.2e-5 }),
};
