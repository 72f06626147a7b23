/** Another process, or this one, writes the log already. */
export class OrderLogInUseError extends Error {
  override readonly name = 'OrderLogInUseError';
  readonly pid: number;

  constructor(path: string, pid: number) {
    super(
      `the order log ${path} is written by process ${pid} already: stop that server, or give this one another state directory`,
    );
    this.pid = pid;
  }
}

/** The log was written by a newer version of this software, or by another version of its engine. */
export class OrderLogVersionError extends Error {
  override readonly name = 'OrderLogVersionError';
  /** What the log is, in words. */
  readonly found: string;

  constructor(path: string, found: string) {
    super(
      `the order log ${path} is of ${found}, which this version cannot read: upgrade the server; the log was left as it is`,
    );
    this.found = found;
  }
}

/** There is no log to read. */
export class OrderLogMissingError extends Error {
  override readonly name = 'OrderLogMissingError';

  constructor(path: string, options?: { readonly cause?: unknown }) {
    super(`there is no order log in ${path} yet: the feed makes it when it starts`, options);
  }
}

/** Something else has the name of the file that the engine locks. */
export class OrderLogLockFileError extends Error {
  override readonly name = 'OrderLogLockFileError';
  /** As the system says it. */
  readonly code = 'EISDIR';

  constructor(file: string) {
    super(`${file} is no file: remove it while no server runs`);
  }
}

/** This process may not map as much as the log needs. */
export class OrderLogLimitError extends Error {
  override readonly name = 'OrderLogLimitError';
  /** As the system says it. */
  readonly code = 'ENOMEM';

  constructor(path: string, neededGib: number, limitGib: number) {
    super(
      `the order log ${path} needs ${neededGib} GiB of address space, which is no memory, and this process may have ${limitGib}: lift the limit (ulimit -v, LimitAS= of systemd)`,
    );
  }
}

/** What the log holds is not what was written. The check at the next start of the feed moves such a log aside. */
export class OrderLogDamagedError extends Error {
  override readonly name = 'OrderLogDamagedError';
}

/** lmdb.h: what the engine answers when the file contradicts itself. */
const DAMAGE_CODES = new Set([-30797, -30796, -30795, -30793, -30782]);

/**
 * Whether reading a log failed for what is in it. What the system refuses has a code of its own, and memory that cannot be had
 * is a RangeError; what the engine's library cannot make sense of, as the length of a key, is an error without a code.
 */
export function isDamage(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === undefined ? !(error instanceof RangeError) : DAMAGE_CODES.has(Number(code));
}

/** A write did not reach the disk; nothing of it is in the log. The same call may succeed later. */
export class OrderLogWriteError extends Error {
  override readonly name = 'OrderLogWriteError';

  constructor(path: string, cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    super(
      `the order log ${path} could not be written (${detail}); nothing of this write was kept. ` +
        'Check that the disk is neither full nor read-only',
      { cause },
    );
  }
}
