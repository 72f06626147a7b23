import {
  challenge2024,
  consistency,
  consistencyOf,
  decayOfAge,
  hasEnoughHours,
  omega2024,
  placeWeights,
  scores2024,
  timeAdjustedSortino,
  weighCells,
} from '@ptn-api/scoring';
import type { Cell2024, ChallengePosition } from '@ptn-api/scoring';
import type { Difference } from '../compare-texts.ts';
import { compareValues } from '../compare-values.ts';
import { jsonForm, objectsOf } from './scoring-file.ts';

interface SpringFile {
  readonly evaluation_time_ms: number;
  readonly cols: readonly string[];
  readonly cells: readonly {
    readonly name: string;
    readonly cells: readonly (readonly unknown[])[];
    readonly expect: unknown;
  }[];
  readonly final: unknown;
  readonly exponential_decay: Readonly<Record<string, readonly number[]>>;
  readonly decay_of_1: readonly { readonly fraction: number; readonly expect: number }[];
  readonly consistency_of_fractions: readonly {
    readonly fractions: readonly number[];
    readonly expect: number;
  }[];
  readonly challenge: readonly {
    readonly name: string;
    readonly now_ms: number;
    readonly positions: readonly ChallengePosition[];
    readonly expect: unknown;
  }[];
}

/** Python's answers to the challenge; it fails where the median is 0, and such a miner has not passed here. */
const STANDING = { passed: true, running: null, failed: false } as const;

function runSpring(file: SpringFile, difference: Difference): number {
  const { evaluation_time_ms: nowMs, cols } = file;
  const ledgers = new Map<string, Cell2024[]>();
  for (const { name, cells: rows, expect } of file.cells) {
    const cells = objectsOf({ cols, rows }) as unknown as Cell2024[];
    const weighed = weighCells(cells, nowMs);
    ledgers.set(name, cells);
    const got = {
      consistency: consistencyOf(cells, nowMs),
      open_50_hours: hasEnoughHours(cells),
      augmented: weighed.map(({ gain, loss }) => [gain, loss]),
      omega: omega2024(weighed),
      sortino: timeAdjustedSortino(weighed, cells),
    };
    compareValues(got, expect, difference, name);
  }
  compareValues(scores2024(ledgers, nowMs), file.final, difference, 'final');
  for (const [count, weights] of Object.entries(file.exponential_decay)) {
    compareValues(placeWeights(Number(count)), weights, difference, `places/${count}`);
  }
  for (const { fraction, expect } of file.decay_of_1) {
    compareValues(decayOfAge(fraction), expect, difference, `decay/${fraction}`);
  }
  for (const { fractions, expect } of file.consistency_of_fractions) {
    compareValues(consistency(fractions), expect, difference, `consistency/${fractions.join()}`);
  }
  for (const { name, now_ms, positions, expect } of file.challenge) {
    const isFault = typeof expect === 'object' && expect !== null;
    if (isFault) difference.expected.push(`${name}: an answer where Python fails`);
    const want = isFault ? STANDING.running : expect;
    compareValues(STANDING[challenge2024(positions, now_ms)], want, difference, name);
  }
  return file.cells.length + file.challenge.length;
}

export const SPRING_2024_FORMS = [
  jsonForm<SpringFile>('generation_2024_04.json', 'scores and challenge of 2024-04', runSpring),
];
