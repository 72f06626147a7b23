import { pythonRound } from './numerics/python-round.ts';
import type { Checkpoint, PerfLedger } from './ledger/checkpoint.ts';

const DAY_MS = 86_400_000;
const CELLS_A_DAY = 2;

/** A complete day of a ledger. */
export interface Day {
  /** Days since 1970-01-01 UTC. */
  readonly day: number;
  /** Natural logarithm of the day's return. */
  readonly logReturn: number;
  /** US dollars; 0 in generations whose cells have none. */
  readonly pnl: number;
}

/** A moment, Unix ms, whose UTC date is that of the cell. */
export type CellDate = (cell: Checkpoint) => number;

/** The date on which a cell begins. */
export const dateOfStart: CellDate = (cell) => cell.last_update_ms - cell.accum_ms;

/** The date on which a cell ends, so that a cell that ends at midnight belongs to the following day. */
export const dateOfEnd: CellDate = (cell) => cell.last_update_ms;

/**
 * The complete days of a ledger, oldest first: those of whose cells exactly two are full. Their number is what the network
 * calls trading days.
 */
export function dailyReturns(ledger: PerfLedger | undefined, dateOf: CellDate, cellMs: number): Day[] {
  const byDay = new Map<number, { cells: number; logReturn: number; pnl: number }>();
  for (const cell of ledger?.cps ?? []) {
    if (cell.accum_ms !== cellMs) continue;
    const day = Math.floor(dateOf(cell) / DAY_MS);
    const sums = byDay.get(day) ?? { cells: 0, logReturn: 0, pnl: 0 };
    sums.cells += 1;
    sums.logReturn += cell.gain + cell.loss;
    sums.pnl += (cell.pnl_gain ?? 0) + (cell.pnl_loss ?? 0);
    byDay.set(day, sums);
  }
  return [...byDay]
    .filter(([, { cells }]) => cells === CELLS_A_DAY)
    .map(([day, { logReturn, pnl }]) => ({ day, logReturn, pnl }))
    .sort((a, b) => a.day - b.day);
}

/** The UTC date of a day, `YYYY-MM-DD`. */
export function dateText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** A log return as percent. */
export function percentOfLog(logReturn: number): number {
  return (Math.exp(logReturn) - 1) * 100;
}

/** The days as files show them: percent with three decimals. */
export function dailyReturnRows(days: readonly Day[]): { readonly date: string; readonly value: number }[] {
  return days.map(({ day, logReturn }) => ({
    date: dateText(day),
    value: pythonRound(percentOfLog(logReturn), 3),
  }));
}

/** The cells with the return of the ledger up to each, as `minerstatistics` shows them. */
export function cumulativeCells(ledger: PerfLedger): (Checkpoint & { readonly overall_returns: number })[] {
  let overall = 1;
  return ledger.cps.map((cell) => {
    overall *= Math.exp(cell.gain + cell.loss);
    return { ...cell, overall_returns: overall };
  });
}
