import { useMemo } from 'preact/hooks';
import { formatChange } from '../../model/format.ts';
import { Chart } from '../../views/chart.tsx';
import type { Performance } from '../model/miner-report.ts';

export function PerformanceSection({ performance }: { performance: Performance }) {
  const { title, returns, drawdowns } = performance;
  const below = useMemo(
    () => (drawdowns.length === 0 ? undefined : { label: 'Drawdown', points: drawdowns }),
    [drawdowns],
  );
  if (returns.length === 0) return null;
  return (
    <section class="card" aria-labelledby="performance-title">
      <h2 id="performance-title">
        {title}: {formatChange((returns.at(-1)?.value ?? NaN) / 100)}
      </h2>
      {below !== undefined && (
        <p class="muted hint">Return above, drawdown from the highest return before it below.</p>
      )}
      <Chart label={title} points={returns} kind="curve" below={below} />
    </section>
  );
}
