import { formatChange, formatTime } from '../model/format.ts';
import type { EliminationRow } from '../model/statistics.ts';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { MinerLink } from './parts.tsx';

const COLUMNS: readonly Column<EliminationRow>[] = [
  {
    id: 'miner',
    head: 'Miner',
    cell: ({ hotkey }) => <MinerLink hotkey={hotkey} />,
    value: ({ hotkey }) => hotkey,
    isText: true,
  },
  {
    id: 'reason',
    head: 'Reason',
    cell: ({ reason }) => <span class="wrapping">{reason.replaceAll('_', ' ').toLowerCase()}</span>,
    value: ({ reason }) => reason,
    isText: true,
  },
  {
    id: 'drawdown',
    head: 'Drawdown',
    cell: ({ drawdown }) => (drawdown === null ? '–' : formatChange(-drawdown)),
    value: ({ drawdown }) => drawdown,
  },
  {
    id: 'since',
    head: 'Eliminated',
    unit: 'UTC',
    cell: ({ sinceMs }) => <WhenText timeMs={sinceMs} />,
    value: ({ sinceMs }) => sinceMs,
  },
];

/** Where the page is narrow, the day alone. */
function WhenText({ timeMs }: { timeMs: number | null }) {
  const text = formatTime(timeMs);
  return (
    <time>
      {text.slice(0, 10)}
      <span class="extra">{text.slice(10)}</span>
    </time>
  );
}

const FIRST_ORDER = { column: 'since', isDescending: true };

export function EliminationsView({ rows }: { rows: readonly EliminationRow[] | null }) {
  if (rows === null) return <p role="status">Reading eliminations …</p>;
  return (
    <DataTable
      label="Eliminations"
      rows={rows}
      columns={COLUMNS}
      keyOf={({ hotkey }) => hotkey}
      order={FIRST_ORDER}
      empty="Nobody is eliminated."
    />
  );
}
