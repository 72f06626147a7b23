import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What there is below `validation/miners`, and of the files beside it. */
export interface ScannedTree {
  readonly directories: number;
  readonly files: number;
  /** Files and folders that cannot be read, with the system's error code; the first ones. */
  readonly unreadable: readonly string[];
  readonly newest: { readonly path: string; readonly modifiedMs: number } | undefined;
}

const NAMED_UNREADABLE = 5;

/** Checks everything in `validation`, without following links. */
export function scanTree(ptnRoot: string): ScannedTree {
  const unreadable: string[] = [];
  let [directories, files] = [0, 0];
  let newest: ScannedTree['newest'];
  const waiting = [join(ptnRoot, 'validation')];
  const failed = (path: string, error: unknown): void => {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    // What disappears during the check is no finding.
    if (code !== 'ENOENT' && unreadable.length < NAMED_UNREADABLE) unreadable.push(`${path} (${code})`);
  };
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) waiting.push(path);
        if (!entry.isFile()) continue;
        files += 1;
        try {
          const { mtimeMs } = lstatSync(path);
          if (newest === undefined || mtimeMs > newest.modifiedMs) newest = { path, modifiedMs: mtimeMs };
        } catch (error) {
          failed(path, error);
        }
      }
      directories += 1;
    } catch (error) {
      failed(folder, error);
    }
  }
  return { directories, files, unreadable, newest };
}
