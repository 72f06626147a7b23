import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import type { Key, RootDatabase, RootDatabaseOptions } from 'lmdb';
import { OrderLogLimitError } from './errors.ts';

const GIB = 2 ** 30;

/**
 * Opens an environment of the engine, which ends this process (SIGSEGV, lmdb 3.5.6) where it cannot open its lock file or
 * map its data: both are tried before.
 *
 * @param path a folder, or a file with `noSubdir`.
 * @throws OrderLogLimitError, errors of the system
 */
export function openEngine<V, K extends Key>(
  path: string,
  options: RootDatabaseOptions & { readonly noSubdir: boolean; readonly mapSize: number },
): RootDatabase<V, K> {
  closeSync(openSync(options.noSubdir ? `${path}-lock` : join(path, 'lock.mdb'), 'a+', 0o600));
  ensureAddressSpace(path, options.mapSize);
  return open<V, K>(path, options);
}

function ensureAddressSpace(path: string, mapSizeBytes: number): void {
  const limitBytes = addressSpaceLimit();
  if (limitBytes < mapSizeBytes)
    throw new OrderLogLimitError(path, mapSizeBytes / GIB, Math.floor(limitBytes / GIB));
}

/** In bytes; Infinity where the system says of none. */
function addressSpaceLimit(): number {
  if (process.platform !== 'linux') return Infinity;
  const [, soft] = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return soft === undefined ? Infinity : Number(soft);
}
