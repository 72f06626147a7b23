import { createHash } from 'node:crypto';
import { mixBits, normalFrom } from '../random.ts';

/** At multiples of this the walk is pinned near 0, so that prices stay of their order of magnitude forever. */
const WINDOW_MS = 2 ** 33;
/** Between two points this close the walk is a straight line. */
const RESOLUTION_MS = 2 ** 10;
/** How far the pinned points spread, against a free walk over one window. */
const PINNED_SPREAD = 0.5;

/** A random walk: its value at any time (ms, at least 0). Over a free ms its variance grows by 1. */
export type RandomWalk = (timeMs: number) => number;

/**
 * The random walk called `name`, which can be asked for any time in any order: Lévy's construction halves the window
 * around that time again and again and moves each middle by a normal number that depends only on name and place.
 */
export function createRandomWalk(name: string): RandomWalk {
  const seed = createHash('sha256').update(name).digest();
  const keyA = seed.readUInt32LE(0);
  const keyB = seed.readUInt32LE(4);

  function normalAt(level: number, index: number): number {
    const place = mixBits(Math.imul(index, 0x9e3779b1) ^ mixBits(level + keyA));
    return normalFrom(place / 2 ** 32, mixBits(place ^ keyB) / 2 ** 32);
  }

  return (timeMs) => {
    let index = Math.floor(timeMs / WINDOW_MS);
    let startMs = index * WINDOW_MS;
    let lengthMs = WINDOW_MS;
    const pinned = PINNED_SPREAD * Math.sqrt(WINDOW_MS);
    let left = normalAt(0, index) * pinned;
    let right = normalAt(0, index + 1) * pinned;
    for (let level = 1; lengthMs > RESOLUTION_MS; level++) {
      const middle = (left + right) / 2 + (normalAt(level, index) * Math.sqrt(lengthMs)) / 2;
      lengthMs /= 2;
      index *= 2;
      if (timeMs < startMs + lengthMs) {
        right = middle;
      } else {
        left = middle;
        startMs += lengthMs;
        index += 1;
      }
    }
    return left + ((right - left) * (timeMs - startMs)) / lengthMs;
  };
}
