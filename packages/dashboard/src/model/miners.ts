import type { MinerPositions, Order, Position } from '@ptn-api/protocol';

/** What the miners' table shows of one; returns are factors. */
export interface MinerRow {
  readonly hotkey: string;
  /** Of closed positions that were opened in the last 120 days. */
  readonly recentReturn: number;
  readonly allTimeReturn: number;
  readonly positions: number;
  readonly open: number;
  /** From 0 to 1. */
  readonly profitable: number;
  /** Unix ms; `null` where there is no order. */
  readonly lastOrderMs: number | null;
}

/** An order, with what it is part of. */
export interface OrderRow {
  readonly order: Order;
  readonly pair: string;
  readonly positionId: string;
}

export interface CurvePoint {
  /** Unix seconds, each at most once and rising. */
  readonly time: number;
  /** Percent: 2 is +2 %. */
  readonly value: number;
}

export function pairName(position: Position): string {
  return position.trade_pair[1] || position.trade_pair[0];
}

export function minerRow(hotkey: string, miner: MinerPositions): MinerRow {
  let open = 0;
  let lastOrderMs: number | null = null;
  for (const position of miner.positions) {
    if (!position.is_closed_position) open++;
    const last = position.orders.at(-1)?.processed_ms;
    if (last !== undefined && (lastOrderMs === null || last > lastOrderMs)) lastOrderMs = last;
  }
  return {
    hotkey,
    recentReturn: miner.thirty_day_returns,
    allTimeReturn: miner.all_time_returns,
    positions: miner.positions.length,
    open,
    profitable: miner.percentage_profitable,
    lastOrderMs,
  };
}

/** Every order, the newest first. */
export function orderRows(positions: readonly Position[]): OrderRow[] {
  const rows = positions.flatMap((position) =>
    position.orders.map((order) => ({ order, pair: pairName(position), positionId: position.position_uuid })),
  );
  return rows.sort((one, other) => other.order.processed_ms - one.order.processed_ms);
}

/**
 * A curve at equal steps of time, as charts place points side by side however far apart they are in time. Each step has
 * the value that held at its end; the first and the last point stay.
 */
export function evenSteps(points: readonly CurvePoint[], steps: number): readonly CurvePoint[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || last.time - first.time < steps) return points;
  let next = 0;
  return Array.from({ length: steps + 1 }, (_, step) => {
    const time = Math.round(first.time + ((last.time - first.time) * step) / steps);
    while ((points[next + 1]?.time ?? Infinity) <= time) next++;
    return { time, value: points[next]?.value ?? first.value };
  });
}

/** Positions that were open for less do not count, as in the validator's own products. */
const MIN_OPEN_MS = 60_000;

/**
 * How the returns of closed positions multiplied, in the order they closed; it ends at the validator's
 * `all_time_returns`.
 */
export function returnCurve(positions: readonly Position[]): CurvePoint[] {
  const closed = positions
    .filter(({ open_ms, close_ms }) => close_ms !== null && close_ms - open_ms >= MIN_OPEN_MS)
    .sort((one, other) => (one.close_ms ?? 0) - (other.close_ms ?? 0));
  const points: CurvePoint[] = [];
  let product = 1;
  const add = (timeMs: number): void => {
    const last = points.at(-1);
    const point = { time: Math.floor(timeMs / 1000), value: (product - 1) * 100 };
    if (last !== undefined && last.time >= point.time)
      points[points.length - 1] = { ...point, time: last.time };
    else points.push(point);
  };
  if (closed.length > 0) add(Math.min(...closed.map(({ open_ms }) => open_ms)));
  for (const position of closed) {
    product *= position.return_at_close;
    add(position.close_ms ?? 0);
  }
  return points;
}

/** What the open positions would return together if they were closed now; `null` without any. */
export function openReturn(positions: readonly Position[]): number | null {
  const open = positions.filter(({ is_closed_position }) => !is_closed_position);
  return open.length === 0
    ? null
    : open.reduce((product, { return_at_close }) => product * return_at_close, 1);
}
