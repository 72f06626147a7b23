import { rebuildPosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import type { Elimination } from '../eliminations/elimination.ts';
import { LedgerBuild } from './build-ledger.ts';
import { PORTFOLIO } from './checkpoint.ts';
import type { LedgerBundle } from './checkpoint.ts';
import type { LedgerTerms } from './ledger-terms.ts';
import type { LedgerUpdate } from './ledger-update.ts';
import { valued } from './valued-position.ts';
import type { PairPositions, ValuedPosition } from './valued-position.ts';

export interface UpdatedLedgers {
  /** The ledgers after the update; those given are as they were. */
  readonly ledgers: LedgerBundle;
  /** Set where the portfolio lost everything: the ledgers then end before that moment. */
  readonly liquidation: Elimination | undefined;
}

/** Closed ones by the time of their close, then open ones. */
function byCloseTime(positions: readonly Position[]): Position[] {
  const closeOf = ({ is_closed_position: isClosed, close_ms: closeMs }: Position): number =>
    isClosed && closeMs !== null ? closeMs : Infinity;
  return [...positions].sort((a, b) => (closeOf(a) === closeOf(b) ? 0 : closeOf(a) - closeOf(b)));
}

const EMPTY: Omit<Position, 'miner_hotkey' | 'position_uuid' | 'trade_pair' | 'open_ms'> = {
  orders: [],
  current_return: 1,
  close_ms: null,
  net_leverage: 0,
  return_at_close: 1,
  average_entry_price: 0,
  cumulative_entry_value: 0,
  realized_pnl: 0,
  position_type: null,
  is_closed_position: false,
};

function rebuilt(position: Position, orders: Position['orders']): Position {
  if (orders.length > 0) return rebuildPosition(position, orders);
  const { miner_hotkey, position_uuid, trade_pair, open_ms } = position;
  return { ...EMPTY, miner_hotkey, position_uuid, trade_pair, open_ms };
}

/** The position without the last order up to `timeMs`, and with it. */
function aroundOrder(position: Position, timeMs: number): { before: ValuedPosition; after: ValuedPosition } {
  const orders = position.orders.filter(({ processed_ms: orderMs }) => orderMs <= timeMs);
  const after = rebuilt(position, orders);
  const isLiquidated = orders.length === position.orders.length && position.return_at_close === 0;
  const closed = { return_at_close: 0, close_ms: position.close_ms, is_closed_position: true } as const;
  return {
    before: valued(rebuilt(position, orders.slice(0, -1))),
    after: valued(isLiquidated ? { ...after, ...closed } : after),
  };
}

/** Positions that end before a ledger does, as their orders make them. They never change, and every update asks for them. */
const ended = new WeakMap<Position, ValuedPosition>();

function endedPosition(position: Position): ValuedPosition {
  const known = ended.get(position);
  if (known !== undefined) return known;
  const subject = valued(rebuilt(position, position.orders));
  ended.set(position, subject);
  return subject;
}

/** Whether all orders of a position were written before; one that lost everything is checked order by order. */
function hasEnded(
  { is_closed_position: isClosed, orders, return_at_close: worth }: Position,
  fromMs: number,
): boolean {
  return isClosed && worth !== 0 && orders.every(({ processed_ms: timeMs }) => timeMs < fromMs);
}

/** An order that a ledger is built up to, or a position that ended before. */
interface TimelineEvent {
  readonly timeMs: number;
  readonly position: Position;
  readonly hasEnded: boolean;
}

/** The orders of positions up to `nowMs` in the order of time; of those that ended before `fromMs` the first alone. */
function timelineOf(positions: readonly Position[], fromMs: number, nowMs: number): TimelineEvent[] {
  return positions
    .filter(({ is_closed_position: isClosed, orders: { length } }) => !isClosed || length >= 2)
    .flatMap((position): TimelineEvent[] => {
      const isPast = hasEnded(position, fromMs);
      const orders = isPast ? position.orders.slice(0, 1) : position.orders;
      return orders.map(({ processed_ms: timeMs }) => ({ timeMs, position, hasEnded: isPast }));
    })
    .filter(({ timeMs }) => timeMs <= nowMs)
    .sort((a, b) => a.timeMs - b.timeMs);
}

function pairOf({ position }: ValuedPosition): string {
  return position.trade_pair[0];
}

/** Puts a position in place of the last of its pair. */
function replaceLast(byPair: Map<string, PairPositions>, subject: ValuedPosition): void {
  const list = byPair.get(pairOf(subject)) ?? [];
  list[Math.max(list.length - 1, 0)] = subject;
  byPair.set(pairOf(subject), list);
}

/** Replaces the last of a pair by the same position as it stands now, or adds another one. */
function putPosition(byPair: Map<string, PairPositions>, subject: ValuedPosition): void {
  const list = byPair.get(pairOf(subject));
  const isSame = list?.at(-1)?.position.position_uuid === subject.position.position_uuid;
  if (list === undefined) byPair.set(pairOf(subject), [subject]);
  else if (isSame) list[list.length - 1] = subject;
  else list.push(subject);
}

/**
 * Brings a miner's ledgers up to `nowMs`: from order to order, and between them from price to price. What was written before is
 * not computed again.
 *
 * @throws RangeError where a position cannot be rebuilt from its orders.
 */
export function updateLedgers(update: LedgerUpdate): UpdatedLedgers {
  const positions = byCloseTime(update.positions);
  const build = new LedgerBuild(update);
  const lastOrderMs = positions.reduce(
    (last, position) => Math.max(last, position.orders.at(-1)?.processed_ms ?? 0),
    0,
  );
  const byPair = new Map<string, PairPositions>();
  let pending: ValuedPosition | undefined;
  let liquidation: Elimination | undefined;
  if (lastOrderMs <= build.lastUpdateMs) {
    for (const position of positions) putPosition(byPair, valued(position));
  } else {
    for (const { timeMs, position, hasEnded: isPast } of timelineOf(
      positions,
      build.lastUpdateMs,
      update.nowMs,
    )) {
      if (pending !== undefined) replaceLast(byPair, pending);
      if (pending?.returnAtClose === 0) {
        liquidation = build.liquidated(byPair, pending.position.close_ms ?? timeMs);
        break;
      }
      if (isPast) {
        putPosition(byPair, endedPosition(position));
        pending = undefined;
        continue;
      }
      const { before, after } = aroundOrder(position, timeMs);
      putPosition(byPair, before);
      pending = after;
      if (timeMs >= build.lastUpdateMs) liquidation = build.to(timeMs, byPair, after);
      if (liquidation !== undefined) break;
    }
    if (liquidation === undefined && pending !== undefined) replaceLast(byPair, pending);
  }
  if (liquidation === undefined && positions.length > 0 && update.nowMs > build.lastUpdateMs) {
    liquidation = build.to(update.nowMs, byPair, undefined);
  }
  return { ledgers: build.ledgers(), liquidation };
}

/** Whether ledgers begin at another time than the first order, so that they have to be built anew. */
export function needsRebuild(ledgers: LedgerBundle, firstOrderMs: number | undefined): boolean {
  const portfolio = ledgers.get(PORTFOLIO);
  return portfolio !== undefined && portfolio.initialization_time_ms !== firstOrderMs;
}

/** The ledgers as they were before an order of `orderMs` (Unix ms) that arrives after later cells were written. */
export function cutLedgers(ledgers: LedgerBundle, orderMs: number, { cellMs }: LedgerTerms): LedgerBundle {
  return new Map(
    [...ledgers].map(([pair, ledger]) => {
      const cps = ledger.cps.filter(
        ({ last_update_ms: endMs, accum_ms: accumMs }) => endMs - accumMs + cellMs < orderMs,
      );
      const maxReturn = cps.reduce((highest, { mpv }) => Math.max(highest, mpv), 1);
      return [pair, { ...ledger, cps, max_return: maxReturn }];
    }),
  );
}
