import type { Checkpoint } from '../ledger/checkpoint.ts';

const DAY_MS = 86_400_000;
const WINDOW_MS = 30 * DAY_MS;
const DECAY_EXPONENT = 0.18;
const CONSISTENCY_WINDOW = 0.15;
const CONSISTENCY_STEP = 0.05;

/** The share of windows with trading, and the factor for at least so many. */
const CONSISTENCY_FACTORS: readonly (readonly [share: number, factor: number])[] = [
  [0.6, 1],
  [0.5, 0.9],
  [0.4, 0.8],
  [0.3, 0.5],
  [0.2, 0.25],
  [-Infinity, 0.1],
];

/** What of a cell the scoring of 2024 reads. */
export type Cell2024 = Pick<Checkpoint, 'last_update_ms' | 'open_ms' | 'gain' | 'loss'>;

/** The age of a cell as a fraction of the 30 days, 0 to 1. */
export function ageFraction({ last_update_ms: endMs }: Cell2024, nowMs: number): number {
  return Math.min(Math.max((nowMs - endMs) / WINDOW_MS, 0), 1);
}

/** How much a cell of an age counts: `1 - age ** 0.18`, the age cut to 0 to 1. */
export function decayOfAge(fraction: number): number {
  return 1 - Math.min(Math.max(fraction, 0), 1) ** DECAY_EXPONENT;
}

/** The factor for how evenly trading is spread over the window: by the share of spans of 15 % in which there was any. */
export function consistency(openFractions: readonly number[]): number {
  if (openFractions.length === 0) return 0;
  const windows = Math.trunc((1 - CONSISTENCY_WINDOW) / CONSISTENCY_STEP) + 1;
  let used = 0;
  for (let index = 0; index < windows; index++) {
    const start = index * CONSISTENCY_STEP;
    if (openFractions.some((fraction) => fraction >= start && fraction <= start + CONSISTENCY_WINDOW))
      used += 1;
  }
  const share = used / windows;
  return CONSISTENCY_FACTORS.find(([least]) => share >= least)?.[1] ?? 0;
}

/** The consistency of a ledger's cells with an open position. */
export function consistencyOf(cells: readonly Cell2024[], nowMs: number): number {
  const open = cells.filter(({ open_ms: openMs }) => openMs > 0);
  return consistency(open.map((cell) => ageFraction(cell, nowMs)));
}

/** Gains and losses of the cells by age and consistency. */
export function weighCells(cells: readonly Cell2024[], nowMs: number): { gain: number; loss: number }[] {
  const factor = consistencyOf(cells, nowMs);
  return cells.map((cell) => {
    const weight = factor * decayOfAge(ageFraction(cell, nowMs));
    return { gain: cell.gain * weight, loss: cell.loss * weight };
  });
}
