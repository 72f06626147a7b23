import { cumulativeDebt } from '../debt/debt-rules.ts';
import { weighByDebt } from '../weights/weigh-by-debt.ts';
import { generation202511 } from './2025-11.ts';
import type { Generation } from './generation.ts';

/** Winter 2025: profit alone decides, and what is owed is realized profit since November. */
export const generation202512: Generation = {
  ...generation202511,
  name: '2025-12',
  metrics: generation202511.metrics.map((row) => ({ ...row, weight: row.name === 'pnl' ? 1 : 0 })),
  weigh: weighByDebt(cumulativeDebt),
};
