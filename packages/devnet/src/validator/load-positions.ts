import { positionPath, readPosition, writePosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { BadFolderError } from './bad-folder-error.ts';
import type { DurableFolder } from './durable-folder.ts';

/** Where each miner has a folder of its name. */
export const MINERS_PATH = 'validation/miners';

function readOne(folder: DurableFolder, path: string): Position {
  const reading = readPosition(folder.read(path) ?? '');
  if (!reading.ok) throw new BadFolderError(path, reading.reason);
  const position = JSON.parse(reading.text) as Position;
  if (positionPath(position) !== path) {
    throw new BadFolderError(path, `holds the position that belongs at ${positionPath(position)}`);
  }
  try {
    writePosition(position);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new BadFolderError(path, `is no position that could be written again (${error.message})`);
  }
  return position;
}

/** All positions of one pair. A file of an open one that is closed by now is removed: a kill came between the two. */
function* positionsIn(folder: DurableFolder, path: string): Iterable<Position> {
  const closed = folder.list(`${path}/closed`);
  for (const name of closed) yield readOne(folder, `${path}/closed/${name}`);
  const open: Position[] = [];
  for (const name of folder.list(`${path}/open`)) {
    if (closed.includes(name)) folder.remove(`${path}/open/${name}`);
    else open.push(readOne(folder, `${path}/open/${name}`));
  }
  if (open.length > 1) throw new BadFolderError(`${path}/open`, 'holds two open positions of one pair');
  yield* open;
}

/** Every position in a validator's folder, in no particular order. @throws BadFolderError */
export function* loadPositions(folder: DurableFolder): Iterable<Position> {
  for (const hotkey of folder.list(MINERS_PATH)) {
    const path = `${MINERS_PATH}/${hotkey}/positions`;
    for (const pairId of folder.list(path)) yield* positionsIn(folder, `${path}/${pairId}`);
  }
}
