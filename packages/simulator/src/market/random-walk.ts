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

  function windowAt(timeMs: number): Span {
    const index = Math.floor(timeMs / WINDOW_MS);
    const pinned = PINNED_SPREAD * Math.sqrt(WINDOW_MS);
    return {
      index,
      startMs: index * WINDOW_MS,
      lengthMs: WINDOW_MS,
      left: normalAt(0, index) * pinned,
      right: normalAt(0, index + 1) * pinned,
    };
  }

  /** The half of a span in which a time lies. */
  function halfOf({ index, startMs, lengthMs, left, right }: Span, level: number, timeMs: number): Span {
    const middle = (left + right) / 2 + (normalAt(level, index) * Math.sqrt(lengthMs)) / 2;
    const halfMs = lengthMs / 2;
    const middleMs = startMs + halfMs;
    return timeMs < middleMs
      ? { index: index * 2, startMs, lengthMs: halfMs, left, right: middle }
      : { index: index * 2 + 1, startMs: middleMs, lengthMs: halfMs, left: middle, right };
  }

  // The spans around the time that was asked for last: the next one is near it in most cases, and in the wider ones too.
  let path: Span[] = [];
  return (timeMs) => {
    const known = path.findIndex((span) => timeMs < span.startMs || timeMs >= span.startMs + span.lengthMs);
    if (known !== -1) path.length = known;
    let span = path.at(-1) ?? windowAt(timeMs);
    if (path.length === 0) path = [span];
    while (span.lengthMs > RESOLUTION_MS) {
      span = halfOf(span, path.length, timeMs);
      path.push(span);
    }
    return span.left + ((span.right - span.left) * (timeMs - span.startMs)) / span.lengthMs;
  };
}

/** A piece of a walk between two points that are known. */
interface Span {
  /** Its place among those of its length. */
  readonly index: number;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly left: number;
  readonly right: number;
}
