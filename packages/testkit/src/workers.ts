import { readFileSync } from 'node:fs';
import { childPidsOf } from './processes.ts';

const PROGRAMS = { feed: '/feed/dist/main.js', rest: '/rest/dist/main.js', ws: '/stream/dist/main.js' };

/** The process ids of a server's workers of that role; those that run just now. */
export function workersOf({ pid }: { readonly pid: number }, role: keyof typeof PROGRAMS): number[] {
  return childPidsOf(pid).filter((child) => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(PROGRAMS[role]);
    } catch {
      // It has ended since, so it is no worker of the server now.
      return false;
    }
  });
}

/**
 * Ends a process at once.
 *
 * @throws Error where there is none: the id 0, which would stand for it, means every process of this group.
 */
export function killAtOnce(pid: number | undefined): void {
  if (pid === undefined || pid <= 0) throw new Error('there is no such process');
  process.kill(pid, 'SIGKILL');
}
