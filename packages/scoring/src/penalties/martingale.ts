import type { Position } from '@ptn-api/protocol';
import { sigmoid } from './sigmoid.ts';

const SHIFT = 0.1;
const SPREAD = 50;
const RETURN_EXPONENT = 25;

/** Net leverage and price after each order; 0 at and after a FLAT until the next order adds to it. */
function leverageSteps({ orders }: Position): { readonly net: number; readonly price: number }[] {
  let net = 0;
  const steps = orders.map(({ order_type: type, leverage, price }) => {
    net = type === 'FLAT' ? 0 : net + leverage;
    return { net, price };
  });
  const last = orders.at(-1);
  const final = steps.at(-1);
  if (last !== undefined && final !== undefined && last.order_type !== 'FLAT') steps.push(final);
  return steps;
}

/** A position that reached a new maximum of leverage more than once while it stood worse than at its entry. */
function isMartingale(position: Position): boolean {
  const [entry, ...later] = leverageSteps(position);
  if (entry === undefined) return false;
  let maximum = Math.abs(entry.net);
  let steps = 0;
  for (const { net, price } of later) {
    const isLosing = (entry.net > 0 && price < entry.price) || (entry.net < 0 && price > entry.price);
    if (!isLosing || Math.abs(net) <= maximum) continue;
    steps += 1;
    maximum = Math.abs(net);
  }
  return steps > 1;
}

/** Which part of a miner's positions is martingale, each weighing `return_at_close ** 25`; 0 without positions. */
export function martingaleScore(positions: readonly Position[]): number {
  let martingale = 0;
  let total = 0;
  for (const position of positions) {
    const weight = position.return_at_close ** RETURN_EXPONENT;
    total += weight;
    if (isMartingale(position)) martingale += weight;
  }
  return total === 0 ? 0 : martingale / total;
}

/** The penalty that the risk profile replaced in March 2025: near 1 without martingale positions, 0 with many. */
export function martingalePenalty(positions: readonly Position[]): number {
  return sigmoid(martingaleScore(positions), SHIFT, SPREAD);
}
