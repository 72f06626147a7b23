import { open } from 'lmdb';
import type { RootDatabase } from 'lmdb';
import { OrderLogVersionError } from './errors.ts';
import { decodeMeta, FORMAT_VERSION, META_KEY } from './records.ts';
import type { LogMeta } from './records.ts';

export type Environment = RootDatabase<Buffer, Uint8Array>;

/**
 * Address space, not memory or disk: how large the log may ever grow. Fixed, because a map that grows has to be
 * replaced in every process that reads it.
 */
const MAP_SIZE_BYTES = 256 * 2 ** 30;

/** The file is mapped: where it may be damaged, reading it can end the process. See log-check.ts. */
export function openEnvironment(path: string, { readOnly }: { readonly readOnly: boolean }): Environment {
  return open<Buffer, Uint8Array>(path, {
    readOnly,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize: MAP_SIZE_BYTES,
    // A commit returns when it is on disk. With it, commits would be visible, and could be sent, before that.
    overlappingSync: false,
  });
}

/**
 * `undefined` where nothing was ever written.
 *
 * @throws OrderLogVersionError, OrderLogDamagedError
 */
export function readMeta(environment: Environment, path: string): LogMeta | undefined {
  const value = environment.getBinary(META_KEY);
  if (!value) return undefined;
  const meta = decodeMeta(value);
  if (meta.version > FORMAT_VERSION) throw new OrderLogVersionError(path, `format version ${meta.version}`);
  return meta;
}
