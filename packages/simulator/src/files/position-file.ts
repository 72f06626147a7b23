import { positionPath, writePosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import type { ValidatorFolder } from './validator-folder.ts';

/**
 * Writes the file of a position and returns its path. With `before`, the open position it was until now: when it
 * closed, its open file is deleted first and then the closed one written, so for a moment there is neither.
 */
export function writePositionFile(folder: ValidatorFolder, position: Position, before?: Position): string {
  const path = positionPath(position);
  if (before !== undefined && position.is_closed_position) folder.remove(positionPath(before));
  folder.write(path, writePosition(position));
  return path;
}
