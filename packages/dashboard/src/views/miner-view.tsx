import type { Position } from '@ptn-api/protocol';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatChange, formatShare, formatTime, formatWhole } from '../model/format.ts';
import { evenSteps, openReturn, orderRows, pairName, returnCurve } from '../model/miners.ts';
import type { CurvePoint } from '../model/miners.ts';
import { placeLink } from '../model/place.ts';
import { compounded } from '../model/statistics.ts';
import { Chart } from './chart.tsx';
import { DataTable } from './data-table.tsx';
import { orderColumns, positionColumns } from './miner-columns.tsx';
import { Fact, Facts, Return } from './parts.tsx';
import type { Session } from './session.ts';

/** Of the return curve: enough for a point in every few pixels. */
const CURVE_STEPS = 240;
const POSITIONS_ORDER = { column: 'closed', isDescending: true };
const ORDERS_ORDER = { column: 'time', isDescending: true };

/** The growth that is drawn, and what it is the growth of. */
function growthOf(
  positions: readonly Position[],
  days: readonly CurvePoint[],
): { readonly title: string; readonly points: readonly CurvePoint[] } {
  return days.length > 0
    ? { title: 'Return by the validator’s daily returns', points: compounded(days) }
    : { title: 'Return of closed positions', points: evenSteps(returnCurve(positions), CURVE_STEPS) };
}

interface MinerViewProps {
  readonly hotkey: string;
  readonly watched: Session['watched'];
  readonly statistics: Session['statistics'];
}

export function MinerView({ hotkey, watched, statistics }: MinerViewProps) {
  const [chosen, setChosen] = useState<Position | null>(null);
  const ordersTitle = useRef<HTMLHeadingElement>(null);
  const shownOrders = useRef(chosen);
  // They may be far below what was pressed, and the button for all of them goes when it is pressed.
  useLayoutEffect(() => {
    if (shownOrders.current !== chosen) ordersTitle.current?.focus();
    shownOrders.current = chosen;
  }, [chosen]);
  const isHere = watched?.hotkey === hotkey;
  const miner = isHere ? watched.miner : null;
  const hasQuantities = miner?.positions.some(({ net_quantity }) => net_quantity !== undefined) ?? false;
  const columns = useMemo(() => positionColumns(hasQuantities, setChosen), [hasQuantities]);
  const ofOrders = useMemo(() => orderColumns(hasQuantities), [hasQuantities]);
  const days = statistics?.find((row) => row.hotkey === hotkey)?.dailyReturns;
  const growth = useMemo(() => growthOf(miner?.positions ?? [], days ?? []), [miner, days]);
  const open = useMemo(() => openReturn(miner?.positions ?? []), [miner]);
  const orders = useMemo(() => {
    const rows = orderRows(miner?.positions ?? []);
    return chosen === null ? rows : rows.filter(({ positionId }) => positionId === chosen.position_uuid);
  }, [miner, chosen]);

  if (!isHere) return <p role="status">Reading …</p>;
  if (miner === null) {
    return (
      <p>
        No miner with positions is called <code>{hotkey}</code>. <a href={placeLink('miners')}>All miners</a>
      </p>
    );
  }
  return (
    <>
      <p class="full-hotkey">
        <code>{hotkey}</code> <a href={placeLink('statistics', hotkey)}>Statistics</a>
      </p>
      <Facts>
        <Fact name="Closed positions, opened in the last 120 days">
          <Return factor={miner.thirty_day_returns} />
        </Fact>
        <Fact name="Closed positions, all time">
          <Return factor={miner.all_time_returns} />
        </Fact>
        {open !== null && (
          <Fact name="Open positions, if closed now">
            <Return factor={open} />
          </Fact>
        )}
        <Fact name="Profitable positions">{formatShare(miner.percentage_profitable)}</Fact>
        <Fact name="Positions">{formatWhole(miner.positions.length)}</Fact>
      </Facts>
      <section class="card" aria-labelledby="curve-title">
        <h2 id="curve-title">
          {growth.title}: {formatChange((growth.points.at(-1)?.value ?? NaN) / 100)}
        </h2>
        <Chart label={growth.title} points={growth.points} kind="curve" />
      </section>
      <section>
        <h2>Positions</h2>
        <DataTable
          label="Positions"
          rows={miner.positions}
          columns={columns}
          keyOf={({ position_uuid }) => position_uuid}
          order={POSITIONS_ORDER}
          empty="No positions."
          isMarked={({ position_uuid }) => position_uuid === chosen?.position_uuid}
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
                setChosen(null);
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
          keyOf={({ order, positionId }) => `${positionId} ${order.order_uuid}`}
          order={ORDERS_ORDER}
          empty="No orders."
        />
      </section>
    </>
  );
}
