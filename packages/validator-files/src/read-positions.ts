import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { comparePositions, readPosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';

/** Positions by hotkey, each miner's in the order of the dashboard, and what is wrong with some: sentences. */
export interface PositionsReading {
  readonly positions: ReadonlyMap<string, readonly Position[]>;
  readonly problems: readonly string[];
}

type OneReading =
  | { readonly ok: true; readonly position: Position }
  | { readonly ok: false; readonly reason: string };

/** A position as the rules need it, from the text of its record. The reason goes on "the file ...". */
export function readPositionRecord(text: string): OneReading {
  const reading = readPosition(text);
  if (!reading.ok) return reading;
  if (reading.nonFinite > 0)
    return { ok: false, reason: `holds ${reading.nonFinite} values that are no finite numbers` };
  const record = JSON.parse(reading.text) as Position;
  const { isClosed, closeMs } = reading.facts;
  const numbers = [
    record.return_at_close,
    ...record.orders.flatMap(({ leverage, price }) => [leverage, price]),
  ];
  // Types say that these are numbers, files need not.
  if (!numbers.every((value: unknown) => typeof value === 'number')) {
    return {
      ok: false,
      reason: 'has a return_at_close, or a leverage or price of an order, that is no number',
    };
  }
  return { ok: true, position: { ...record, is_closed_position: isClosed, close_ms: closeMs } };
}

/** Closed ones as they closed, then open ones: sums over positions are the same whatever order they were found in. */
export function inDashboardOrder(positions: readonly Position[]): Position[] {
  const placeOf = ({ open_ms: openMs, close_ms: closeMs, position_uuid: positionUuid }: Position) => ({
    openMs,
    closeMs,
    positionUuid,
  });
  return [...positions].sort((a, b) => comparePositions(placeOf(a), placeOf(b)));
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A stray file among the folders, or a folder that is not there: nothing is in it.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * All positions below `validation/miners` of a validator's folder.
 *
 * @throws what the file system throws, except for what does not exist.
 */
export function readPositions(root: string): PositionsReading {
  const positions = new Map<string, readonly Position[]>();
  const problems: string[] = [];
  const miners = join('validation', 'miners');
  for (const hotkey of entriesOf(join(root, miners))) {
    const found = new Map<string, Position>();
    for (const pair of entriesOf(join(root, miners, hotkey, 'positions'))) {
      // Closed ones last: where a crash left both, the position is closed.
      for (const state of ['open', 'closed']) {
        const folder = join(miners, hotkey, 'positions', pair, state);
        for (const name of entriesOf(join(root, folder))) {
          const text = textOf(join(root, folder, name));
          // Closed since the folder was listed: the closed file is read next.
          if (text === undefined) continue;
          const reading = readPositionRecord(text);
          if (reading.ok) found.set(reading.position.position_uuid, reading.position);
          else problems.push(`${join(folder, name)} ${reading.reason}; it is left out`);
        }
      }
    }
    if (found.size > 0) positions.set(hotkey, inDashboardOrder([...found.values()]));
  }
  return { positions, problems };
}
