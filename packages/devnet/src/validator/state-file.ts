import { BadFolderError } from './bad-folder-error.ts';
import type { DurableFolder } from './durable-folder.ts';

const PATH = 'devnet/state.json';

/** What the simulated network of a folder was made with, and how late it is in it. */
export interface DevnetState {
  readonly seed: number;
  readonly generation: string;
  /** `random`, or `candles` of a file. */
  readonly prices: string;
  /** Unix ms: no file of the folder has a later time. */
  readonly clockMs: number;
  /** Whether that is the time of the world. */
  readonly isReal: boolean;
}

/** The state of a folder; undefined where it is new. @throws BadFolderError */
export function readState(folder: DurableFolder): DevnetState | undefined {
  const text = folder.read(PATH);
  if (text === undefined) return undefined;
  let state: Partial<DevnetState> | null;
  try {
    state = JSON.parse(text) as Partial<DevnetState> | null;
  } catch (error) {
    throw new BadFolderError(PATH, `is no JSON (${(error as Error).message})`);
  }
  const { seed, generation, prices, clockMs, isReal } = state ?? {};
  if (
    !Number.isSafeInteger(seed) ||
    typeof generation !== 'string' ||
    typeof prices !== 'string' ||
    !Number.isSafeInteger(clockMs) ||
    typeof isReal !== 'boolean'
  ) {
    throw new BadFolderError(PATH, 'lacks seed, generation, prices, clockMs or isReal');
  }
  return { seed, generation, prices, clockMs, isReal } as DevnetState;
}

/** @throws what the file system throws. */
export function writeState(folder: DurableFolder, state: DevnetState): void {
  folder.write(PATH, `${JSON.stringify(state)}\n`);
}
