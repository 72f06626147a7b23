import { currentReturnAt } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';

/** A position with what it is worth at the moment, which changes as prices come by. */
export interface ValuedPosition {
  readonly position: Position;
  /** Without fees. */
  currentReturn: number;
  /** With all fees. */
  returnAtClose: number;
}

export function valued(position: Position): ValuedPosition {
  return { position, currentReturn: position.current_return, returnAtClose: position.return_at_close };
}

/** Whether the position has orders and is not closed. */
export function isOpen({ position }: ValuedPosition): boolean {
  return !position.is_closed_position && position.orders.length > 0;
}

/** Values an open position at a price; without one its return without fees stays. */
export function revalue(subject: ValuedPosition, price: number | undefined, fees: number): void {
  if (price !== undefined) subject.currentReturn = currentReturnAt(subject.position, price);
  subject.returnAtClose = subject.currentReturn * fees;
}

/** The positions of one pair that were opened so far, oldest first. At most one is open. */
export type PairPositions = ValuedPosition[];
