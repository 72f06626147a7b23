import {
  formatDuration,
  formatScore,
  formatShare,
  formatTime,
  formatWhole,
  titled,
} from '../../model/format.ts';
import { DataTable } from '../../views/data-table.tsx';
import type { Column } from '../../views/data-table.tsx';
import { Fact, Facts } from '../../views/parts.tsx';
import type { Metric, MinerReport } from '../model/miner-report.ts';

/** Of metrics that are given in percent, behind the name. */
const UNITS: Readonly<Record<string, string>> = {
  calmar: '%',
  return: '%',
  statistical_confidence: '%',
  pnl: 'USD',
};

function metricName(name: string): string {
  const unit = UNITS[name];
  return unit === undefined ? titled(name) : `${titled(name)} (${unit})`;
}

/** While the challenge period lasts: how far each metric is above or below what is asked for. */
export function ChallengeSection({ report: { challenge, metrics } }: { report: MinerReport }) {
  const { status, startMs, remainingMs, threshold } = challenge;
  if (status !== 'testing') return null;
  return (
    <section class="card" aria-labelledby="challenge-title">
      <h2 id="challenge-title">Challenge period</h2>
      <p>
        Since {formatTime(startMs)} UTC, {formatDuration(remainingMs)} left
        {threshold !== null && `; a percentile of ${formatShare(threshold)} passes`}.
      </p>
      <ul class="challenge">
        {metrics.map((metric) => (
          <ChallengeCard key={metric.name} metric={metric} threshold={threshold} />
        ))}
      </ul>
    </section>
  );
}

function ChallengeCard({ metric, threshold }: { metric: Metric; threshold: number | null }) {
  const { name, percentile } = metric;
  const isPassing = percentile !== null && threshold !== null && percentile >= threshold;
  return (
    <li>
      <span class="name">{titled(name)}</span>
      <span class="percentile">{formatShare(percentile)}</span>
      <span class="bar" aria-hidden="true">
        <span style={{ width: formatShare(clamped(percentile)) }} />
      </span>
      {threshold !== null && (
        <span class={isPassing ? 'tone-up' : 'tone-down'}>{isPassing ? 'Passing' : 'Not passing'}</span>
      )}
    </li>
  );
}

/** A share that a bar can have. */
function clamped(share: number | null): number {
  return Math.min(1, Math.max(0, share ?? 0));
}

const COLUMNS: readonly Column<Metric>[] = [
  {
    id: 'metric',
    head: 'Metric',
    cell: ({ name, isScored }) => (
      <span class="wrapping">
        {metricName(name)}
        {!isScored && <span class="muted"> not scored</span>}
      </span>
    ),
    isText: true,
  },
  { id: 'value', head: 'Value', cell: ({ value }) => formatScore(value) },
  { id: 'rank', head: 'Rank', cell: ({ rank }) => formatWhole(rank) },
  { id: 'percentile', head: 'Percentile', cell: ({ percentile }) => formatShare(percentile) },
  {
    id: 'contribution',
    head: 'Contribution',
    cell: ({ contribution }) => formatShare(contribution),
    isExtra: true,
  },
];

export function MetricsSection({ metrics }: { metrics: readonly Metric[] }) {
  return (
    <section>
      <h2>Scoring metrics</h2>
      <DataTable
        label="Scoring metrics"
        rows={metrics}
        columns={COLUMNS}
        keyOf={({ name }) => name}
        empty="The validator has written no metrics of this miner."
      />
    </section>
  );
}

export function PenaltiesSection({ penalties }: { penalties: MinerReport['penalties'] }) {
  if (penalties.length === 0) return null;
  return (
    <section aria-labelledby="penalties-title">
      <h2 id="penalties-title">Penalty multipliers</h2>
      <p class="muted hint">1 takes nothing, 0 takes everything.</p>
      <Facts>
        {penalties.map(({ name, factor }) => (
          <Fact key={name} name={titled(name)}>
            {factor === null ? '–' : factor.toFixed(4)}
          </Fact>
        ))}
      </Facts>
    </section>
  );
}

/** How many colours there are; more metrics begin with the first again. */
const COLOURS = 7;

/** What each metric adds to the miner's score, as one bar. */
export function ContributionSection({ metrics }: { metrics: readonly Metric[] }) {
  const shares = metrics
    .map(({ name, contribution }, index) => ({
      name,
      share: Math.max(0, contribution ?? 0),
      colour: `share-${(index % COLOURS) + 1}`,
    }))
    .filter(({ share }) => share > 0);
  const total = shares.reduce((sum, { share }) => sum + share, 0);
  if (total === 0) return null;
  return (
    <section class="card" aria-labelledby="contribution-title">
      <h2 id="contribution-title">Contribution to the score: {formatShare(total)}</h2>
      <div class="stack" aria-hidden="true">
        {shares.map(({ name, share, colour }) => (
          <span key={name} class={colour} style={{ flexGrow: share }} />
        ))}
      </div>
      <ul class="legend">
        {shares.map(({ name, share, colour }) => (
          <li key={name}>
            <span class={`swatch ${colour}`} aria-hidden="true" />
            {titled(name)} <span class="muted">{formatShare(share)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
