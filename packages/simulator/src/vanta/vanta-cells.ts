import type { Position } from '@ptn-api/protocol';
import type { Checkpoint } from '@ptn-api/scoring';
import { SCORING_GENERATIONS } from '@ptn-api/scoring';
import type { WrittenCells } from '../statistics/written-cells.ts';

const { cellMs: CELL_MS } = SCORING_GENERATIONS['2025-12'].ledger;

/** A cell of a ledger as validators keep it since December 2025. */
export type VantaCell = Omit<Checkpoint, 'pnl_gain' | 'pnl_loss'> & {
  /** US dollars, up to the end of the cell. */
  readonly prev_portfolio_realized_pnl: number;
  readonly prev_portfolio_unrealized_pnl: number;
  /** US dollars: realized within the cell, and open at its end. */
  readonly realized_pnl: number;
  readonly unrealized_pnl: number;
};

interface Sums {
  realized: number;
  unrealized: number;
  spreadFees: number;
  carryFees: number;
}

/** The first cell that ends at or after `timeMs`, else the last. */
function indexAt(cells: readonly Checkpoint[], timeMs: number): number {
  let [low, high] = [0, cells.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cells[middle]?.last_update_ms ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Adds what a position earned: evenly over the time it was open, realized when it closed or was last changed. */
function addPosition(sums: readonly Sums[], cells: readonly Checkpoint[], position: Position): void {
  const { open_ms: openMs, is_closed_position: isClosed } = position;
  const { realized_pnl: realized, unrealized_pnl: unrealized = 0 } = position;
  const lastMs = cells.at(-1)?.last_update_ms ?? openMs;
  const closeMs = isClosed ? (position.close_ms ?? lastMs) : Infinity;
  const realizedAt =
    sums[indexAt(cells, isClosed ? closeMs : (position.orders.at(-1)?.processed_ms ?? openMs))];
  if (realizedAt !== undefined) realizedAt.realized += realized;

  const [final, endMs] = isClosed ? [realized, closeMs] : [unrealized, lastMs];
  for (let index = indexAt(cells, openMs); index < cells.length; index++) {
    const cellEndMs = cells[index]?.last_update_ms ?? 0;
    if (cellEndMs >= closeMs) break;
    const sum = sums[index];
    if (sum !== undefined) sum.unrealized += (final * (cellEndMs - openMs)) / Math.max(endMs - openMs, 1);
  }
  for (const { fee_type: type, amount, time_ms: timeMs } of position.fee_history ?? []) {
    const sum = sums[indexAt(cells, timeMs)];
    if (sum === undefined) continue;
    if (type === 'carry') sum.carryFees += amount;
    else sum.spreadFees += amount;
  }
}

/** What complete cells come to. */
export interface VantaSums {
  /** US dollars, as the positions say. */
  readonly realized: number;
  readonly spreadFees: number;
  readonly carryFees: number;
  /** Logs, as the cells say. */
  readonly spreadLoss: number;
  readonly carryLoss: number;
}
export const NO_VANTA_SUMS: VantaSums = {
  realized: 0,
  spreadFees: 0,
  carryFees: 0,
  spreadLoss: 0,
  carryLoss: 0,
};
export type WrittenVantaCells = WrittenCells<VantaCell, VantaSums>;

/**
 * The cells of a ledger of `positions` with what they earned and paid.
 *
 * @param accountSize US dollars: fees count as parts of it.
 * @param written what stays as it is; the cells that are complete now are added to it.
 */
export function vantaCells(
  cells: readonly Checkpoint[],
  positions: readonly Position[],
  accountSize: number,
  written: WrittenVantaCells,
): VantaCell[] {
  const sums = cells.map((): Sums => ({ realized: 0, unrealized: 0, spreadFees: 0, carryFees: 0 }));
  for (const position of positions) addPosition(sums, cells, position);
  const past = [...written.cells];
  const before = written.sums;
  let { spreadLoss, carryLoss } = before;
  const found = { realized: 0, spreadFees: 0, carryFees: 0 };
  const fresh = cells.flatMap((cell, index): VantaCell[] => {
    const sum = sums[index];
    if (sum === undefined) return [];
    // Of the time that is written already: what was earned or paid in it is known only now.
    const isNext = index === past.length;
    const missed = isNext
      ? {
          realized: found.realized - before.realized,
          spread: found.spreadFees - before.spreadFees,
          carry: found.carryFees - before.carryFees,
        }
      : { realized: 0, spread: 0, carry: 0 };
    found.realized += sum.realized;
    found.spreadFees += sum.spreadFees;
    found.carryFees += sum.carryFees;
    if (index < past.length) return [];
    const spread = Math.log1p(-(sum.spreadFees + missed.spread) / accountSize);
    const carry = Math.log1p(-(sum.carryFees + missed.carry) / accountSize);
    spreadLoss += spread;
    carryLoss += carry;
    const made = {
      ...cell,
      prev_portfolio_realized_pnl: found.realized,
      prev_portfolio_unrealized_pnl: sum.unrealized,
      prev_portfolio_spread_fee: Math.exp(spreadLoss),
      prev_portfolio_carry_fee: Math.exp(carryLoss),
      spread_fee_loss: spread,
      carry_fee_loss: carry,
      realized_pnl: sum.realized + missed.realized,
      unrealized_pnl: sum.unrealized,
    };
    if (cell.accum_ms === CELL_MS) {
      written.cells.push(made);
      written.sums = { ...found, spreadLoss, carryLoss };
    }
    return [made];
  });
  return [...past, ...fresh];
}
