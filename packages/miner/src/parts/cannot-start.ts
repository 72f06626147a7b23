/** Something that the miner needs is missing or wrong. Its message is one line, and says what to do. */
export class CannotStartError extends Error {
  override readonly name = 'CannotStartError';
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use: stop what listens there, or choose another one',
  EACCES: 'it is not allowed: ports below 1024 and files of others need more rights',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
};

/** The line that an operator reads where a part cannot start; undefined for a fault of the program's own. */
export function startProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : SYSTEM_REASONS[code];
  if (reason !== undefined) return `${error.message} (${syscall}): ${reason}`;
  return error.name === 'Error' || error.name === 'TypeError' ? undefined : error.message;
}
