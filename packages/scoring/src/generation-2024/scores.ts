import { highestFirst } from '../combination/highest-first.ts';
import { weighCells } from './cell-weights.ts';
import type { Cell2024 } from './cell-weights.ts';

const HOUR_MS = 3_600_000;
const LEAST_OPEN_MS = 50 * HOUR_MS;
const OMEGA_LOSS_MINIMUM = 1e-6;
const NO_LOSS_SORTINO = 1e6;
const TOP_SHARE = 0.3;
const TOP_PAYOUT = 0.7;
const METRIC_SHARE = 0.5;

interface Weighed {
  readonly gain: number;
  readonly loss: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function openMs(cells: readonly Cell2024[]): number {
  return sum(cells.map(({ open_ms: ms }) => ms));
}

/** Whether there are 50 h with an open position, without which nothing is scored. */
export function hasEnoughHours(cells: readonly Cell2024[]): boolean {
  return openMs(cells) >= LEAST_OPEN_MS;
}

/** Sum of the gains / sum of the losses, the latter at least 1e-6. */
export function omega2024(weighed: readonly Weighed[]): number {
  const losses = Math.abs(sum(weighed.map(({ loss }) => loss)));
  return sum(weighed.map(({ gain }) => gain)) / Math.max(losses, OMEGA_LOSS_MINIMUM);
}

/** Losses a ms of open positions, negative; 1e6 without losses, 0 without open positions. */
export function timeAdjustedSortino(weighed: readonly Weighed[], cells: readonly Cell2024[]): number {
  const loss = sum(weighed.map((cell) => cell.loss));
  const ms = openMs(cells);
  if (ms === 0) return 0;
  return loss === 0 ? NO_LOSS_SORTINO : -Math.abs(loss / ms);
}

/** What each place gets: exponentially less, so that the best 30 % get 70 %. Adds up to 1. */
export function placeWeights(count: number): number[] {
  const rate = -Math.log(1 - TOP_PAYOUT) / (TOP_SHARE * count);
  const powers = Array.from({ length: count }, (_, place) => Math.exp(-rate * place));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

function weightsByPlace(scores: readonly (readonly [string, number])[]): Map<string, number> {
  const weights = placeWeights(scores.length);
  return new Map(highestFirst(scores).map(([hotkey], place) => [hotkey, weights[place] as number]));
}

/**
 * The weights of spring 2024, highest first: the places in both metrics are combined, and the places in that are paid. Adds up to 1,
 * unless nobody has traded enough.
 *
 * @param nowMs Unix ms.
 */
export function scores2024(
  ledgers: ReadonlyMap<string, readonly Cell2024[]>,
  nowMs: number,
): [hotkey: string, weight: number][] {
  const miners = [...ledgers].filter(([, cells]) => hasEnoughHours(cells));
  const weighed = miners.map(([hotkey, cells]) => ({ hotkey, cells, weighed: weighCells(cells, nowMs) }));
  const metrics = [
    weightsByPlace(weighed.map((miner) => [miner.hotkey, omega2024(miner.weighed)])),
    weightsByPlace(weighed.map((miner) => [miner.hotkey, timeAdjustedSortino(miner.weighed, miner.cells)])),
  ];
  const combined = weighed.map(({ hotkey }): [string, number] => [
    hotkey,
    metrics.reduce(
      (product, weights) => product * (METRIC_SHARE * (weights.get(hotkey) ?? 0) + (1 - METRIC_SHARE)),
      1,
    ),
  ]);
  return highestFirst(weightsByPlace(combined));
}
