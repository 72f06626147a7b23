import type { Elimination } from '@ptn-api/scoring';
import { isObject } from './read-json.ts';

/** The rows of a list of eliminations; one phrase that goes on "the file ..." where it is none. */
export function readEliminations(value: unknown): readonly Elimination[] | string {
  if (!Array.isArray(value)) return 'has no list of eliminations';
  const bad = value.findIndex(
    (row) =>
      !isObject(row) ||
      typeof row['hotkey'] !== 'string' ||
      typeof row['elimination_initiated_time_ms'] !== 'number',
  );
  if (bad !== -1)
    return `has no hotkey and elimination_initiated_time_ms in row ${bad + 1} of its eliminations`;
  return value as readonly Elimination[];
}
