import { useMemo, useState } from 'preact/hooks';
import { formatDuration, formatLeverage, formatPrice, formatWhole } from '../model/format.ts';
import { filterRows } from '../model/table.ts';
import { lagSummary } from '../model/tape.ts';
import type { TapeRow } from '../model/tape.ts';
import { DataTable } from './data-table.tsx';
import type { Column } from './data-table.tsx';
import { MinerLink, Moment, Search, Side } from './parts.tsx';

const COLUMNS: readonly Column<TapeRow>[] = [
  { id: 'sequence', head: 'No.', cell: ({ sequence }) => formatWhole(sequence), isExtra: true },
  {
    id: 'time',
    head: 'Time',
    unit: 'UTC',
    cell: ({ placedMs }) => <Moment timeMs={placedMs} />,
    isText: true,
  },
  { id: 'miner', head: 'Miner', cell: ({ hotkey }) => <MinerLink hotkey={hotkey} />, isText: true },
  { id: 'pair', head: 'Pair', cell: ({ pair }) => pair, isText: true },
  { id: 'side', head: 'Side', cell: ({ side }) => <Side side={side} />, isText: true },
  { id: 'leverage', head: 'Leverage', cell: ({ leverage }) => formatLeverage(leverage), isExtra: true },
  { id: 'price', head: 'Price', cell: ({ price }) => formatPrice(price) },
  { id: 'lag', head: 'Lag', cell: ({ lagMs }) => formatDuration(lagMs), isExtra: true },
];

export function LiveView({ tape }: { tape: readonly TapeRow[] }) {
  const [query, setQuery] = useState('');
  const [held, setHeld] = useState<readonly TapeRow[] | null>(null);
  const shown = held ?? tape;
  const rows = useMemo(
    () => filterRows(shown, query, ({ hotkey, pair, side }) => `${hotkey} ${pair} ${side}`),
    [shown, query],
  );
  const lag = useMemo(() => lagSummary(tape), [tape]);
  return (
    <>
      <div class="tools">
        <Search label="Filter by miner, pair or side" value={query} onValue={setQuery} />
        <button
          type="button"
          aria-pressed={held !== null}
          onClick={() => {
            setHeld(held === null ? tape : null);
          }}
        >
          Pause
        </button>
        <span class="muted">
          {lag === null
            ? 'No live order yet'
            : `${formatWhole(lag.count)} came live: median lag ${formatDuration(lag.median)}, highest ${formatDuration(lag.highest)}`}
        </span>
      </div>
      <DataTable
        label="Live orders, the newest first"
        rows={rows}
        columns={COLUMNS}
        keyOf={({ sequence }) => sequence}
        empty={shown.length === 0 ? 'No orders yet.' : 'No order matches.'}
      />
    </>
  );
}
