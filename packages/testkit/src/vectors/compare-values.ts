import type { Difference } from './compare-texts.ts';

/** Up to where two numbers that are no integers count as the same. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** What the notes of the scoring vectors allow. */
export const SCORING_TOLERANCE: Tolerance = { relative: 1e-9, absolute: 1e-15 };

/** Strict JSON has no numbers that are not finite; these texts stand for them. */
const NON_FINITE: ReadonlyMap<unknown, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

/** A number as the files write it; undefined for anything else. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : NON_FINITE.get(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Compares two values: members in any order, whole numbers exactly, others within the tolerance. */
export function compareValues(
  got: unknown,
  want: unknown,
  difference: Difference,
  path: string,
  tolerance: Tolerance = SCORING_TOLERANCE,
): void {
  const [a, b] = [numberOf(got), numberOf(want)];
  if (a !== undefined && b !== undefined) {
    difference.numbers += 1;
    if (Object.is(a, b) || a === b) return;
    const distance = Math.abs(a - b);
    const relative = distance / Math.max(Math.abs(a), Math.abs(b));
    // A residue of rounding has no digits that could agree.
    if (distance > tolerance.absolute || !Number.isFinite(distance)) {
      difference.worst = Math.max(difference.worst, Number.isFinite(relative) ? relative : 1);
    }
    const isWhole = Number.isInteger(a) && Number.isInteger(b);
    if (!isWhole && (relative <= tolerance.relative || distance <= tolerance.absolute)) return;
  } else if (Array.isArray(got) && Array.isArray(want) && got.length === want.length) {
    for (const [index, item] of want.entries()) {
      compareValues(got[index], item, difference, `${path}/${index}`, tolerance);
    }
    return;
  } else if (isRecord(got) && isRecord(want)) {
    for (const key of new Set([...Object.keys(got), ...Object.keys(want)])) {
      compareValues(got[key], want[key], difference, `${path}/${key}`, tolerance);
    }
    return;
  } else if (got === want) {
    return;
  }
  const show = (value: unknown): string =>
    (JSON.stringify(value) as string | undefined)?.slice(0, 100) ?? 'nothing';
  difference.unequal.push(`${path}: ${show(got)} for ${show(want)}`);
}
