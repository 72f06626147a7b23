import { useMemo, useState } from 'preact/hooks';
import { formatChange, formatScore, formatShare, formatWhole, titled } from '../model/format.ts';
import { compounded } from '../model/statistics.ts';
import type { Score, StatisticsRow } from '../model/statistics.ts';
import { filterRows } from '../model/table.ts';
import { Chart } from './chart.tsx';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { Fact, Facts, MinerLink, Search } from './parts.tsx';

/** Which scores there are is up to the validator's version. */
function columnsFor(rows: readonly StatisticsRow[]): readonly Column<StatisticsRow>[] {
  const names = [...new Set(rows.flatMap(({ scores }) => scores.map(({ name }) => name)))];
  const scoreOf = (row: StatisticsRow, name: string) =>
    row.scores.find((score) => score.name === name)?.value ?? null;
  return [
    {
      id: 'rank',
      head: 'Rank',
      cell: ({ rank }) => formatWhole(rank),
      value: ({ rank }) => rank,
      isText: true,
    },
    {
      id: 'miner',
      head: 'Miner',
      cell: ({ hotkey }) => <MinerLink hotkey={hotkey} view="statistics" />,
      value: ({ hotkey }) => hotkey,
      isText: true,
    },
    {
      id: 'weight',
      head: 'Weight',
      cell: ({ weight }) => formatScore(weight),
      value: ({ weight }) => weight,
    },
    ...names.map((name) => ({
      id: `score-${name}`,
      head: name === 'return' ? 'Return score' : titled(name),
      cell: (row: StatisticsRow) => formatScore(scoreOf(row, name)),
      value: (row: StatisticsRow) => scoreOf(row, name),
      isExtra: true,
    })),
    {
      id: 'drawdown',
      head: 'Drawdown',
      cell: ({ drawdown }) => (drawdown === null ? '–' : formatChange(-drawdown)),
      value: ({ drawdown }) => drawdown,
      isExtra: true,
    },
    {
      id: 'penalty',
      head: 'Penalty',
      cell: ({ penalty }) => formatScore(penalty),
      value: ({ penalty }) => penalty,
      isExtra: true,
    },
    {
      id: 'status',
      head: 'Status',
      cell: ({ status }) => status,
      value: ({ status }) => status,
      isText: true,
    },
  ];
}

const FIRST_ORDER = { column: 'rank', isDescending: false };

interface StatisticsViewProps {
  readonly rows: readonly StatisticsRow[] | null;
  /** The miner whose scores and days are drawn; `null`: the best one. */
  readonly hotkey: string | null;
}

export function StatisticsView({ rows, hotkey }: StatisticsViewProps) {
  const [query, setQuery] = useState('');
  const all = useMemo(() => rows ?? [], [rows]);
  const names = all[0]?.scores.map(({ name }) => name).join(' ') ?? '';
  const columns = useMemo(() => columnsFor(all), [names]);
  const shown = useMemo(() => filterRows(all, query, (row) => `${row.hotkey} ${row.status}`), [all, query]);
  const chosen =
    hotkey === null
      ? all.reduce<StatisticsRow | undefined>(
          (best, row) => ((row.rank ?? Infinity) < (best?.rank ?? Infinity) ? row : best),
          all[0],
        )
      : all.find((row) => row.hotkey === hotkey);
  if (rows === null) return <p role="status">Reading statistics …</p>;
  if (rows.length === 0) return <p>The validator has written no statistics yet.</p>;
  return (
    <>
      {chosen === undefined ? (
        <p>There are no statistics of this miner.</p>
      ) : (
        <MinerStatisticsCard row={chosen} />
      )}
      <div class="tools">
        <Search label="Search by hotkey or status" value={query} onValue={setQuery} />
        <span class="muted" role="status">
          {shown.length === all.length
            ? `${formatWhole(all.length)} ${all.length === 1 ? 'miner' : 'miners'}`
            : `${formatWhole(shown.length)} of ${formatWhole(all.length)} miners`}
        </span>
      </div>
      <DataTable
        label="Statistics of all miners"
        rows={shown}
        columns={columns}
        keyOf={(row) => row.hotkey}
        order={FIRST_ORDER}
        empty="No miner is called that."
        isMarked={(row) => row.hotkey === chosen?.hotkey}
      />
    </>
  );
}

function MinerStatisticsCard({ row }: { row: StatisticsRow }) {
  const growth = useMemo(() => compounded(row.dailyReturns), [row]);
  return (
    <section class="card" aria-labelledby="chosen-title">
      <h2 id="chosen-title">
        Rank {formatWhole(row.rank)}: <MinerLink hotkey={row.hotkey} />
      </h2>
      <Facts>
        <Fact name="Weight">{formatScore(row.weight)}</Fact>
        <Fact name="Penalty factor, 1 is none">{formatScore(row.penalty)}</Fact>
        <Fact name="Largest drawdown">{row.drawdown === null ? '–' : formatChange(-row.drawdown)}</Fact>
        <Fact name="Yearly volatility">{formatShare(row.volatility)}</Fact>
      </Facts>
      <div class="panels">
        <div>
          <h3>Scores, with the percentile of each</h3>
          <ul class="scores">
            {row.scores.map((score) => (
              <ScoreBar key={score.name} score={score} />
            ))}
          </ul>
        </div>
        <div>
          <h3>Daily returns</h3>
          <Chart label="Daily returns" points={row.dailyReturns} kind="bars" />
        </div>
        <div>
          <h3>Daily returns, compounded: {formatChange((growth.at(-1)?.value ?? NaN) / 100)}</h3>
          <Chart label="Daily returns, compounded" points={growth} kind="curve" />
        </div>
      </div>
    </section>
  );
}

function ScoreBar({ score: { name, value, rank, percentile } }: { score: Score }) {
  return (
    <li>
      <span class="name">{titled(name)}</span>
      <span class="muted score">
        {formatScore(value)}, rank {formatWhole(rank)}
      </span>
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${(percentile ?? 0) * 100}%` }} />
      </span>
      <span class="percentile">{formatShare(percentile)}</span>
    </li>
  );
}
