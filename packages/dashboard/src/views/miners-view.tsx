import { useMemo, useState } from 'preact/hooks';
import { formatShare, formatTime, formatWhole } from '../model/format.ts';
import type { MinerRow } from '../model/miners.ts';
import { filterRows } from '../model/table.ts';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { MinerLink, Return, Search } from './parts.tsx';

const COLUMNS: readonly Column<MinerRow>[] = [
  {
    id: 'miner',
    head: 'Miner',
    cell: ({ hotkey }) => <MinerLink hotkey={hotkey} />,
    value: ({ hotkey }) => hotkey,
    isText: true,
  },
  {
    id: 'recent',
    head: '120 days',
    unit: 'return, closed',
    cell: ({ recentReturn }) => <Return factor={recentReturn} />,
    value: ({ recentReturn }) => recentReturn,
  },
  {
    id: 'all',
    head: 'All time',
    unit: 'return, closed',
    cell: ({ allTimeReturn }) => <Return factor={allTimeReturn} />,
    value: ({ allTimeReturn }) => allTimeReturn,
  },
  {
    id: 'profitable',
    head: 'Profitable',
    cell: ({ profitable }) => formatShare(profitable),
    value: ({ profitable }) => profitable,
    isExtra: true,
  },
  {
    id: 'positions',
    head: 'Positions',
    cell: ({ positions }) => formatWhole(positions),
    value: ({ positions }) => positions,
    isExtra: true,
  },
  { id: 'open', head: 'Open', cell: ({ open }) => formatWhole(open), value: ({ open }) => open },
  {
    id: 'last',
    head: 'Last order',
    unit: 'UTC',
    cell: ({ lastOrderMs }) => formatTime(lastOrderMs),
    value: ({ lastOrderMs }) => lastOrderMs,
    isExtra: true,
  },
];

const FIRST_ORDER = { column: 'recent', isDescending: true };

export function MinersView({ miners }: { miners: readonly MinerRow[] }) {
  const [query, setQuery] = useState('');
  const rows = useMemo(() => filterRows(miners, query, ({ hotkey }) => hotkey), [miners, query]);
  return (
    <>
      <div class="tools">
        <Search label="Search by hotkey" value={query} onValue={setQuery} />
        <span class="muted" role="status">
          {rows.length === miners.length
            ? `${formatWhole(miners.length)} ${miners.length === 1 ? 'miner' : 'miners'}`
            : `${formatWhole(rows.length)} of ${formatWhole(miners.length)} miners`}
        </span>
      </div>
      <DataTable
        label="Miners"
        rows={rows}
        columns={COLUMNS}
        keyOf={({ hotkey }) => hotkey}
        order={FIRST_ORDER}
        empty={miners.length === 0 ? 'No miner has positions.' : 'No miner is called that.'}
      />
    </>
  );
}
