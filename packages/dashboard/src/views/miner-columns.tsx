import type { Position } from '@ptn-api/protocol';
import {
  formatLeverage,
  formatPrice,
  formatQuantity,
  formatTime,
  formatWhole,
  NOTHING,
} from '../model/format.ts';
import { pairName } from '../model/miners.ts';
import type { OrderRow } from '../model/miners.ts';
import type { Column } from './data-table.tsx';
import { Moment, Return, Side } from './parts.tsx';

/** Of positions that count in quantities, as validators since December 2025 write them. */
const SIZE_COLUMNS: readonly Column<Position>[] = [
  {
    id: 'quantity',
    head: 'Quantity',
    cell: ({ net_quantity }) => formatQuantity(net_quantity),
    value: ({ net_quantity }) => net_quantity ?? null,
    isExtra: true,
  },
  {
    id: 'value',
    head: 'Value',
    unit: 'USD',
    cell: ({ net_value }) => formatWhole(net_value),
    value: ({ net_value }) => net_value ?? null,
    isExtra: true,
  },
];

/** @param hasQuantities whether the miner has positions that count in quantities. */
export function positionColumns(
  hasQuantities: boolean,
  onOrders: (position: Position) => void,
): readonly Column<Position>[] {
  return [
    {
      id: 'pair',
      head: 'Pair',
      cell: (position) => pairName(position),
      value: (position) => pairName(position),
      isText: true,
    },
    {
      id: 'side',
      head: 'Side',
      cell: ({ position_type }) => <Side side={position_type ?? 'FLAT'} />,
      value: ({ position_type }) => position_type,
      isText: true,
    },
    {
      id: 'return',
      head: 'Return',
      cell: ({ return_at_close }) => <Return factor={return_at_close} />,
      value: ({ return_at_close }) => return_at_close,
    },
    {
      id: 'leverage',
      head: 'Leverage',
      cell: ({ net_leverage }) => formatLeverage(net_leverage),
      value: ({ net_leverage }) => net_leverage,
      isExtra: true,
    },
    ...(hasQuantities ? SIZE_COLUMNS : []),
    {
      id: 'entry',
      head: 'Entry price',
      cell: ({ average_entry_price }) => formatPrice(average_entry_price),
      value: ({ average_entry_price }) => average_entry_price,
      isExtra: true,
    },
    {
      id: 'opened',
      head: 'Opened',
      unit: 'UTC',
      cell: ({ open_ms }) => formatTime(open_ms),
      value: ({ open_ms }) => open_ms,
      isExtra: true,
    },
    {
      id: 'closed',
      head: 'Closed',
      unit: 'UTC',
      cell: ({ is_closed_position, close_ms }) => (is_closed_position ? formatTime(close_ms) : 'open'),
      // Open ones are the newest.
      value: ({ is_closed_position, close_ms }) => (is_closed_position ? close_ms : Infinity),
      isExtra: true,
    },
    {
      id: 'orders',
      head: 'Orders',
      cell: (position) => (
        <button
          type="button"
          class="link"
          aria-label={`Show the ${position.orders.length} orders of this ${pairName(position)} position`}
          onClick={() => {
            onOrders(position);
          }}
        >
          {position.orders.length}
        </button>
      ),
      value: ({ orders }) => orders.length,
    },
  ];
}

/** Of orders with quantities. */
const TERMS_COLUMNS: readonly Column<OrderRow>[] = [
  {
    id: 'quantity',
    head: 'Quantity',
    cell: ({ order }) => formatQuantity(order.quantity),
    value: ({ order }) => order.quantity ?? null,
    isExtra: true,
  },
  {
    id: 'kind',
    head: 'Kind',
    cell: ({ order }) => order.execution_type?.toLowerCase() ?? NOTHING,
    value: ({ order }) => order.execution_type ?? null,
    isText: true,
    isExtra: true,
  },
  {
    id: 'stop',
    head: 'Stop',
    cell: ({ order }) => formatPrice(order.stop_loss),
    value: ({ order }) => order.stop_loss ?? null,
    isExtra: true,
  },
  {
    id: 'target',
    head: 'Target',
    cell: ({ order }) => formatPrice(order.take_profit),
    value: ({ order }) => order.take_profit ?? null,
    isExtra: true,
  },
];

const ORDER_COLUMNS: readonly Column<OrderRow>[] = [
  {
    id: 'time',
    head: 'Time',
    unit: 'UTC',
    cell: ({ order }) => <Moment timeMs={order.processed_ms} />,
    value: ({ order }) => order.processed_ms,
    isText: true,
  },
  { id: 'pair', head: 'Pair', cell: ({ pair }) => pair, value: ({ pair }) => pair, isText: true },
  {
    id: 'side',
    head: 'Side',
    cell: ({ order }) => <Side side={order.order_type} />,
    value: ({ order }) => order.order_type,
    isText: true,
  },
  {
    id: 'leverage',
    head: 'Leverage',
    cell: ({ order }) => formatLeverage(order.leverage),
    value: ({ order }) => order.leverage,
    isExtra: true,
  },
  {
    id: 'price',
    head: 'Price',
    cell: ({ order }) => formatPrice(order.price),
    value: ({ order }) => order.price,
  },
];

/** @param hasQuantities as of {@link positionColumns}. */
export function orderColumns(hasQuantities: boolean): readonly Column<OrderRow>[] {
  return hasQuantities ? [...ORDER_COLUMNS, ...TERMS_COLUMNS] : ORDER_COLUMNS;
}
