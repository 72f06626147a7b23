import { join } from 'node:path';
import { readPosition } from '@ptn-api/positions';
import type { PositionText } from '@ptn-api/positions';
import { UNSETTLED } from '@ptn-api/watch/file-stamp';
import { readStamped } from './read-file.ts';

/** 100,000 orders, where a validator closes a position that has 100. Larger ones would take the memory of all others. */
const MAX_POSITION_BYTES = 64 * 2 ** 20;

/** A position file to read, with what is known of it. */
export interface PositionFile {
  /** Relative to the miners' folder: `<hotkey>/positions/<pair>/<open|closed>/<uuid>`. */
  readonly path: string;
  /** The stamp it had when it was last read, to skip it if nothing changed. */
  readonly stamp?: string | undefined;
}

/** What was found at the path of a position file. */
export type PositionRead =
  | { readonly kind: 'same'; readonly path: string }
  | { readonly kind: 'gone'; readonly path: string }
  | { readonly kind: 'bad'; readonly path: string; readonly stamp: string; readonly reason: string }
  | {
      readonly kind: 'read';
      readonly path: string;
      readonly stamp: string;
      readonly position: PositionText;
      /** How many NaN and Infinity were replaced by null. */
      readonly nonFinite: number;
    };

/** Reads one position file. */
export function readPositionFile(root: string, { path, stamp: known }: PositionFile): PositionRead {
  const file = readStamped(join(root, path), known, MAX_POSITION_BYTES);
  if (file.kind !== 'read') return { ...file, path };
  const read = readPosition(file.bytes.toString('utf8'));
  if (!read.ok) return { kind: 'bad', path, stamp: file.stamp, reason: read.reason };
  const position = { text: read.text, facts: read.facts };
  // A file that was just written is read again, whatever its stamp: it may be written again in the same tick.
  const stamp = file.isFresh ? UNSETTLED : file.stamp;
  return { kind: 'read', path, stamp, position, nonFinite: read.nonFinite };
}

/** Reads position files in one go; answers in the same order. */
export function readPositions(input: { root: string; files: readonly PositionFile[] }): PositionRead[] {
  return input.files.map((file) => readPositionFile(input.root, file));
}
