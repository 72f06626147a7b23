import type { Position } from '@ptn-api/protocol';
import { writePosition } from './shapes.ts';
import type { ValidatorFolder } from './validator-folder.ts';

/** Where the file of a position lies under PTN_ROOT. */
export function positionPath(position: Position): string {
  const {
    miner_hotkey: hotkey,
    trade_pair: pair,
    position_uuid: uuid,
    is_closed_position: isClosed,
  } = position;
  return `validation/miners/${hotkey}/positions/${pair[0]}/${isClosed ? 'closed' : 'open'}/${uuid}`;
}

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
