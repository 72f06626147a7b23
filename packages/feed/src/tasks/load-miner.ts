import { lstatSync, readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { buildSettled, comparePositions, isSettled, summarized } from '@ptn-api/positions';
import type { EncodeOptions, PositionText, SettledBlock, SummarizedPosition } from '@ptn-api/positions';
import { isAbsence } from '@ptn-api/watch/file-stamp';
import { readPositionFile } from './read-positions.ts';

/** A file of a miner as it was found. */
interface LoadedFile {
  readonly path: string;
  readonly stamp: string;
  readonly positionUuid: string;
  readonly isSettled: boolean;
}

export interface LivePosition extends PositionText {
  readonly path: string;
}

/** All of a miner, read from its folder. */
export interface LoadedMiner {
  readonly hotkey: string;
  readonly files: readonly LoadedFile[];
  readonly bad: readonly { readonly path: string; readonly stamp: string; readonly reason: string }[];
  readonly blocks: readonly SettledBlock[];
  /** In the order in which the blocks hold them. */
  readonly settled: readonly SummarizedPosition[];
  readonly live: readonly LivePosition[];
  /** Of the settled ones, those with an order that may not have been streamed yet. */
  readonly recent: readonly PositionText[];
  readonly nonFinite: number;
}

/** Where new orders may be found among settled positions. */
export interface OrderHorizon {
  /** Unix ms; orders placed before are not streamed. Infinity if none are. */
  readonly ordersSinceMs: number;
}

export function hasOrderSince({ facts }: PositionText, sinceMs: number): boolean {
  return facts.orderTimesMs.some((timeMs) => timeMs >= sinceMs);
}

/** The folder's entries; none when it is missing or is no folder. A link to one is none: nobody watches what is in it. */
function list(path: string): Dirent[] {
  try {
    if (!lstatSync(path).isDirectory()) return [];
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** The paths of a miner's position files, relative to `root`. */
function positionPaths(root: string, hotkey: string): string[] {
  const paths: string[] = [];
  const base = join(hotkey, 'positions');
  for (const pair of list(join(root, base))) {
    if (!pair.isDirectory()) continue;
    for (const side of ['open', 'closed']) {
      const folder = join(base, pair.name, side);
      for (const file of list(join(root, folder))) {
        if (file.isFile()) paths.push(join(folder, file.name));
      }
    }
  }
  return paths;
}

/** Reads a whole miner and compresses what is settled. */
export function loadMiner(
  input: { root: string; hotkey: string } & EncodeOptions & OrderHorizon,
): LoadedMiner {
  const files: LoadedFile[] = [];
  const bad: { path: string; stamp: string; reason: string }[] = [];
  const byUuid = new Map<string, LivePosition>();
  let nonFinite = 0;
  for (const path of positionPaths(input.root, input.hotkey)) {
    const read = readPositionFile(input.root, { path });
    if (read.kind === 'bad') bad.push(read);
    if (read.kind !== 'read') continue;
    nonFinite += read.nonFinite;
    const { facts } = read.position;
    files.push({
      path,
      stamp: read.stamp,
      positionUuid: facts.positionUuid,
      isSettled: isSettled(facts, input.now),
    });
    // While a position closes both files may be there for a moment: the closed one is the newer.
    const other = byUuid.get(facts.positionUuid);
    if (other === undefined || !other.facts.isClosed)
      byUuid.set(facts.positionUuid, { ...read.position, path });
  }
  const positions = [...byUuid.values()].sort((a, b) => comparePositions(a.facts, b.facts));
  const settled = positions.filter((position) => isSettled(position.facts, input.now));
  return {
    hotkey: input.hotkey,
    files,
    bad,
    blocks: buildSettled(settled, input),
    settled: settled.map(({ facts }) => summarized(facts)),
    live: positions.filter((position) => !isSettled(position.facts, input.now)),
    recent: settled.filter((position) => hasOrderSince(position, input.ordersSinceMs)),
    nonFinite,
  };
}
