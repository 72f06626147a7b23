import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { open } from 'lmdb';
import type { Key, RootDatabase, RootDatabaseOptions } from 'lmdb';
import { OrderLogLimitError, OrderLogLockFileError } from './errors.ts';

const GIB = 2 ** 30;

/**
 * Opens an environment of the engine, which ends this process (SIGSEGV, lmdb 3.5.6) where it cannot open its lock file or
 * map its data: both are tried before.
 *
 * @param path a folder, or a file with `noSubdir`.
 * @throws OrderLogLimitError, OrderLogLockFileError, errors of the system
 */
export function openEngine<V, K extends Key>(
  path: string,
  options: RootDatabaseOptions & { readonly noSubdir: boolean; readonly mapSize: number },
): RootDatabase<V, K> {
  ensureLockFile(options.noSubdir ? `${path}-lock` : join(path, 'lock.mdb'));
  ensureAddressSpace(path, options.mapSize);
  return open<V, K>(path, options);
}

/** Opens nothing: to close the file would give up the locks that this process has in it by another opening (fcntl(2)). */
function ensureLockFile(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  accessSync(stats ? file : dirname(file), constants.R_OK | constants.W_OK);
  if (stats?.isFile() === false) throw new OrderLogLockFileError(file);
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
