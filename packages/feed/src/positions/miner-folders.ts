import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DirectoryKinds } from '@ptn-api/watch';

/** What the watcher of the tree has to know of its directories. */
export const DIRECTORY_KINDS: DirectoryKinds = {
  // They hold no positions, but any number of files: orders that wait to be filled, and old ones.
  ignored: /^[^/]+\/limit_orders$/,
  // Open positions change most, and are few.
  busy: /\/open$/,
};

/** The hotkey of a position file's path, or null for a path that is none. */
export function hotkeyOf(path: string): string | null {
  const [hotkey, positions, , side, file, ...more] = path.split('/');
  if (hotkey === undefined || file === undefined || more.length > 0 || positions !== 'positions') return null;
  return side === 'open' || side === 'closed' ? hotkey : null;
}

/** The miners' folders, or the symbolic links in their place; none while there is no tree yet. */
export function minersIn(root: string, kind: 'folders' | 'links' = 'folders'): string[] {
  try {
    const entries = readdirSync(root, { withFileTypes: true });
    return entries
      .filter((entry) => (kind === 'folders' ? entry.isDirectory() : entry.isSymbolicLink()))
      .map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Whether a tree with at least one miner's positions is there; `links`: whether one is that is made of links alone,
 * which are not followed.
 *
 * @throws Error when that cannot be read.
 */
export function hasTree(root: string, kind: 'folders' | 'links' = 'folders'): boolean {
  return minersIn(root, kind).some(
    (hotkey) => statSync(join(root, hotkey, 'positions'), { throwIfNoEntry: false }) !== undefined,
  );
}
