import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OrderLogInUseError } from './errors.ts';

/** The lock files that this process goes by. */
const held = new Set<string>();

const LOCK_FILE = /^writer-(\d+)-(\d+)\.lock$/;

/**
 * Makes this process the only writer of the folder, until the returned function is called or the process ends.
 *
 * Everyone who wants to write first makes a file that is named by its own pid and start time, and then looks for
 * others: of two that try at once, whoever looks last sees the other, so at most one goes on; both may be refused.
 * A name says for good whose it is, because a pid that is used again has another start time: so the file of a process
 * that was killed blocks nobody, and nobody can remove a file that a living process relies on. One lock file for all
 * could not be taken over safely: between reading that its owner is dead and removing it, another may have done so.
 *
 * Processes that do not see each other's pids (containers that share the folder) are not kept apart.
 *
 * @throws OrderLogInUseError
 */
export function takeWriterLock(path: string): () => void {
  const own = `writer-${process.pid}-${startTimeOf(process.pid) ?? 0}.lock`;
  const ownFile = join(path, own);
  try {
    closeSync(openSync(ownFile, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (held.has(ownFile)) throw new OrderLogInUseError(path, process.pid);
    // Left by an attempt of this process that failed, and could not remove it either.
  }
  held.add(ownFile);
  const release = (): void => {
    held.delete(ownFile);
    rmSync(ownFile, { force: true });
  };
  try {
    for (const name of readdirSync(path)) {
      const [, pid, startTime] = LOCK_FILE.exec(name) ?? [];
      if (pid === undefined || name === own) continue;
      if (String(startTimeOf(Number(pid)) ?? '') === startTime)
        throw new OrderLogInUseError(path, Number(pid));
      rmSync(join(path, name), { force: true });
    }
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/** In clock ticks since the machine started; 0 where the system does not say; `undefined`: no such process. */
function startTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the program's name, may hold blanks and brackets: count from its last bracket.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has let go of all its files.
    return state === 'Z' || state === 'X' ? undefined : Number(fields[18]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    if (process.platform === 'linux') return undefined;
  }
  try {
    process.kill(pid, 0);
    return 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 0 : undefined;
  }
}
