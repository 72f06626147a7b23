import type { Position } from '@ptn-api/protocol';

const LOOK_BACK_MS = 10 * 86_400_000;
/** Times of a raster are so far apart. */
export const RASTER_STEP_MS = 120_000;
const RASTER_LENGTH = LOOK_BACK_MS / RASTER_STEP_MS;

/** A span in which a miner's net leverage in a pair was the same. */
export interface PositionState {
  /** Unix ms. */
  readonly startMs: number;
  /** Unix ms. */
  readonly endMs: number;
  /** Signed. */
  readonly leverage: number;
}

/** The states of one position between its orders, and up to `nowMs` where it is open. */
function statesOf({ orders }: Position, nowMs: number): PositionState[] {
  let net = 0;
  const steps = orders.map(({ order_type: type, leverage, processed_ms: timeMs }) => {
    net = type === 'FLAT' ? 0 : net + leverage;
    return { timeMs, net };
  });
  const isOpen = orders.length > 0 && orders.at(-1)?.order_type !== 'FLAT';
  if (isOpen) steps.push({ timeMs: nowMs, net });
  return steps.slice(1).map(({ timeMs: endMs }, index) => {
    const { timeMs: startMs, net: leverage } = steps[index] as (typeof steps)[number];
    return { startMs, endMs, leverage };
  });
}

/** The states of the last 10 days by pair, in the order of the positions. */
export function statesByPair(positions: readonly Position[], nowMs: number): Map<string, PositionState[]> {
  const byPair = new Map<string, PositionState[]>();
  for (const position of positions) {
    const recent = statesOf(position, nowMs).filter(({ startMs }) => startMs >= nowMs - LOOK_BACK_MS);
    if (recent.length === 0) continue;
    const [pair] = position.trade_pair;
    byPair.set(pair, [...(byPair.get(pair) ?? []), ...recent]);
  }
  return byPair;
}

/** The leverage at every second minute of the 10 days before `nowMs`: that of the last state which covers it, else 0. */
export function rasterOf(states: readonly PositionState[], nowMs: number): Float64Array {
  const fromMs = nowMs - LOOK_BACK_MS;
  const raster = new Float64Array(RASTER_LENGTH);
  for (const { startMs, endMs, leverage } of states) {
    const first = Math.max(0, Math.ceil((startMs - fromMs) / RASTER_STEP_MS));
    const last = Math.min(RASTER_LENGTH - 1, Math.floor((endMs - fromMs) / RASTER_STEP_MS));
    for (let index = first; index <= last; index++) raster[index] = leverage;
  }
  return raster;
}
