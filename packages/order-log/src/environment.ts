import type { RootDatabase } from 'lmdb';
import { openEngine } from './engine.ts';
import { OrderLogVersionError } from './errors.ts';
import { OpeningLock } from './opening-lock.ts';
import { decodeMeta, FORMAT_VERSION, META_KEY } from './records.ts';
import type { LogMeta } from './records.ts';

export type Environment = RootDatabase<Buffer, Uint8Array>;

/**
 * Address space, not memory or disk: how large the log may ever grow. Fixed, because a map that grows has to be
 * replaced in every process that reads it.
 */
const MAP_SIZE_BYTES = 256 * 2 ** 30;

/** The log as this process has it open. */
export class OpenedLog {
  readonly environment: Environment;
  readonly #lock: OpeningLock;

  constructor(environment: Environment, lock: OpeningLock) {
    this.environment = environment;
    this.#lock = lock;
  }

  /** One transaction: on disk when this returns, nothing of it if it throws. */
  commit(change: () => void): void {
    this.#lock.hold(() => {
      this.environment.transactionSync(change);
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.environment.close(), this.#lock.close()]);
  }
}

/** The file is mapped: where it may be damaged, reading it can end the process. See log-check.ts. */
export function openLog(path: string, { readOnly }: { readonly readOnly: boolean }): OpenedLog {
  const lock = new OpeningLock(path, { readOnly });
  try {
    const environment = lock.hold(() =>
      openEngine<Buffer, Uint8Array>(path, {
        readOnly,
        noSubdir: false,
        encoding: 'binary',
        keyEncoding: 'binary',
        mapSize: MAP_SIZE_BYTES,
        // A commit returns when it is on disk. With it, commits would be visible, and could be sent, before that.
        overlappingSync: false,
      }),
    );
    return new OpenedLog(environment, lock);
  } catch (error) {
    // Why the log could not be opened says more than why not closed.
    lock.close().catch(() => undefined);
    throw error;
  }
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
