import type { Order, Position } from '@ptn-api/protocol';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatDuration, formatPrice, formatTime, formatWhole } from '../../model/format.ts';
import { orderRows, pairName } from '../../model/miners.ts';
import type { OrderRow } from '../../model/miners.ts';
import { DataTable } from '../../views/data-table.tsx';
import type { Column } from '../../views/data-table.tsx';
import { orderColumns, positionColumns } from '../../views/miner-columns.tsx';
import { readSources } from '../model/read-positions.ts';
import type { PriceSource } from '../model/read-positions.ts';

const POSITIONS_ORDER = { column: 'opened', isDescending: true };
const ORDERS_ORDER = { column: 'time', isDescending: true };

function sourcesColumn(onSources: (order: Order) => void): Column<OrderRow> {
  return {
    id: 'sources',
    head: 'Sources',
    cell: ({ order, pair }) =>
      order.price_sources.length === 0 ? (
        '0'
      ) : (
        <button
          type="button"
          class="link"
          aria-label={`Show the ${order.price_sources.length} price sources of this ${pair} order`}
          onClick={() => {
            onSources(order);
          }}
        >
          {order.price_sources.length}
        </button>
      ),
    value: ({ order }) => order.price_sources.length,
  };
}

type NumberedSource = PriceSource & { readonly number: number };

const price = (
  id: 'open' | 'high' | 'low' | 'close' | 'bid' | 'ask',
  isExtra: boolean,
): Column<NumberedSource> => ({
  id,
  head: id.charAt(0).toUpperCase() + id.slice(1),
  cell: (source) => formatPrice(source[id]),
  value: (source) => source[id],
  isExtra,
});

const SOURCE_COLUMNS: readonly Column<NumberedSource>[] = [
  { id: 'source', head: 'Source', cell: ({ source }) => source, value: ({ source }) => source, isText: true },
  {
    id: 'start',
    head: 'Start',
    unit: 'UTC',
    cell: ({ startMs }) => formatTime(startMs),
    value: ({ startMs }) => startMs,
    isText: true,
    isExtra: true,
  },
  {
    id: 'timespan',
    head: 'Timespan',
    cell: ({ timespanMs }) => formatDuration(timespanMs),
    value: ({ timespanMs }) => timespanMs,
    isExtra: true,
  },
  { id: 'lag', head: 'Lag', cell: ({ lagMs }) => formatDuration(lagMs), value: ({ lagMs }) => lagMs },
  price('open', false),
  price('high', true),
  price('low', true),
  price('close', false),
  price('bid', true),
  price('ask', true),
];

const SOURCES_ORDER = { column: 'lag', isDescending: false };

/** Has the focus go to a heading when what it is about was chosen or let go. */
function useFocusOn(chosen: string | null) {
  const heading = useRef<HTMLHeadingElement>(null);
  const last = useRef(chosen);
  useLayoutEffect(() => {
    if (last.current !== chosen) heading.current?.focus();
    last.current = chosen;
  }, [chosen]);
  return heading;
}

export function PositionsSection({ positions }: { positions: readonly Position[] }) {
  const [chosenId, choose] = useState<string | null>(null);
  const [sourcesOf, showSources] = useState<string | null>(null);
  const ordersTitle = useFocusOn(chosenId);
  const sourcesTitle = useFocusOn(sourcesOf);

  const hasQuantities = positions.some(({ net_quantity }) => net_quantity !== undefined);
  const columns = useMemo(
    () =>
      positionColumns(hasQuantities, ({ position_uuid: id }) => {
        choose(id);
        showSources(null);
      }),
    [hasQuantities],
  );
  const ofOrders = useMemo(
    () => [
      ...orderColumns(hasQuantities),
      sourcesColumn(({ order_uuid: id }) => {
        showSources(id);
      }),
    ],
    [hasQuantities],
  );
  // By their names: after an update they are other objects, and may be missing.
  const chosen = positions.find(({ position_uuid: id }) => id === chosenId) ?? null;
  const orders = useMemo(() => orderRows(chosen === null ? positions : [chosen]), [positions, chosen]);
  const order = orders.find(({ order: { order_uuid: id } }) => id === sourcesOf)?.order ?? null;
  const sources = useMemo(
    () => (order === null ? [] : readSources(order).map((source, number) => ({ ...source, number }))),
    [order],
  );
  return (
    <>
      <section>
        <h2>Positions</h2>
        <DataTable
          label="Positions"
          rows={positions}
          columns={columns}
          keyOf={({ position_uuid: id }) => id}
          order={POSITIONS_ORDER}
          empty="No positions yet."
          isMarked={({ position_uuid: id }) => id === chosenId}
        />
      </section>
      <section>
        <h2 ref={ordersTitle} tabIndex={-1}>
          {chosen === null
            ? 'Orders'
            : `Orders of ${pairName(chosen)}, opened ${formatTime(chosen.open_ms)} UTC`}{' '}
          {chosen !== null && (
            <button
              type="button"
              onClick={() => {
                choose(null);
              }}
            >
              Show all orders
            </button>
          )}
        </h2>
        <DataTable
          label="Orders"
          rows={orders}
          columns={ofOrders}
          keyOf={({ order: { order_uuid: id }, positionId }) => `${positionId} ${id}`}
          order={ORDERS_ORDER}
          empty="No orders yet."
          isMarked={({ order: { order_uuid: id } }) => id === sourcesOf}
        />
      </section>
      {order !== null && (
        <section>
          <h2 ref={sourcesTitle} tabIndex={-1}>
            {formatWhole(sources.length)} price sources of the order at {formatTime(order.processed_ms)} UTC{' '}
            <button
              type="button"
              onClick={() => {
                showSources(null);
                ordersTitle.current?.focus();
              }}
            >
              Hide
            </button>
          </h2>
          <DataTable
            label="Price sources"
            rows={sources}
            columns={SOURCE_COLUMNS}
            keyOf={({ number }) => number}
            order={SOURCES_ORDER}
            empty="The validator keeps the sources of an order for 7 days."
          />
        </section>
      )}
    </>
  );
}
