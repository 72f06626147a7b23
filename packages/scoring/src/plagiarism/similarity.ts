import { RASTER_STEP_MS } from './position-states.ts';
import type { PositionState } from './position-states.ts';

const LEAST_DELAY_MS = 10_000;
const MOST_DELAY_MS = 12 * 3_600_000;

/** How one miner's states follow another's. */
export interface Following {
  /** The share of the victim's states that were followed, 0 to 1. */
  readonly follow: number;
  /** The mean delay in steps of the raster, cut to an integer. */
  readonly lag: number;
}

/**
 * Which of a victim's states were followed, in its order, within 10 s to 12 h. The search ends at the first that nobody follows.
 */
export function following(plagiarist: readonly PositionState[], victim: readonly PositionState[]): Following {
  const delays: number[] = [];
  let i = 0;
  let j = 0;
  while (i < victim.length && j < plagiarist.length) {
    const delayMs = (plagiarist[j] as PositionState).startMs - (victim[i] as PositionState).startMs;
    if (delayMs >= LEAST_DELAY_MS && delayMs <= MOST_DELAY_MS) {
      delays.push(delayMs / RASTER_STEP_MS);
      i += 1;
      j = 0;
    } else {
      j += 1;
    }
  }
  if (delays.length === 0) return { follow: 0, lag: 0 };
  const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
  return { follow: delays.length / victim.length, lag: Math.trunc(mean) };
}

/** The cosine of what a plagiarist did from `lag` steps on and what a victim did before the last `lag` steps; 0 where one did nothing. */
export function laggedCosine(plagiarist: Float64Array, victim: Float64Array, lag: number): number {
  let [product, own, other] = [0, 0, 0];
  for (let index = 0; index + lag < plagiarist.length; index++) {
    const a = plagiarist[index + lag] as number;
    const b = victim[index] as number;
    product += a * b;
    own += a * a;
    other += b * b;
  }
  return own === 0 || other === 0 ? 0 : product / (Math.sqrt(own) * Math.sqrt(other));
}
