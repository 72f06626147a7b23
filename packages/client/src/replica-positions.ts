import type { MinerPositions, Position } from '@ptn-api/protocol';

/** What a miner has before its first position is counted. */
const NEW_MINER: MinerPositions = {
  positions: [],
  thirty_day_returns: 1,
  all_time_returns: 1,
  n_positions: 0,
  percentage_profitable: 0,
  tier: 100,
};

/** Negative where `a` stands before `b`: closed positions by the time of their close, then open ones, as REST has them. */
function compare(a: Position, b: Position): number {
  const [aMs, bMs] = [a.is_closed_position ? a.close_ms : null, b.is_closed_position ? b.close_ms : null];
  if (aMs !== bMs) return (aMs ?? Infinity) - (bMs ?? Infinity);
  if (a.open_ms !== b.open_ms) return a.open_ms - b.open_ms;
  return a.position_uuid < b.position_uuid ? -1 : 1;
}

/** Whether `held` is as far as `streamed` already: it has the order that the stream brought. */
function isInStep(held: Position, streamed: Position): boolean {
  const last = streamed.orders.at(-1);
  return last !== undefined && held.orders.some(({ order_uuid: uuid }) => uuid === last.order_uuid);
}

function withPosition(positions: readonly Position[], streamed: Position): readonly Position[] {
  const held = positions.find(({ position_uuid: uuid }) => uuid === streamed.position_uuid);
  if (held !== undefined && isInStep(held, streamed)) return positions;
  const others = positions.filter((position) => position !== held);
  return others.toSpliced(others.findLastIndex((other) => compare(other, streamed) < 0) + 1, 0, streamed);
}

/**
 * A miner as the server sent it, with positions of the stream that are newer than that. Where the server's value has
 * the order already, it is kept: it can have been rewritten since, and the streamed one would set it back.
 *
 * @param miner `undefined` for one that the server did not send yet.
 * @returns `miner` itself where the stream adds nothing.
 */
export function withStreamed(
  miner: MinerPositions | undefined,
  streamed: Iterable<Position>,
): MinerPositions {
  const base = miner ?? NEW_MINER;
  let { positions } = base;
  for (const position of streamed) positions = withPosition(positions, position);
  return positions === base.positions ? base : { ...base, positions };
}
