import { readFileSync, readdirSync } from 'node:fs';

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** State letter and parent of a process, from Linux' /proc; undefined when there is none of this id. */
function processStat(pid: number): { state: string; parent: number } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (hasCode(error, ['ENOENT', 'ESRCH'])) return undefined;
    throw error;
  }
  // The name, in parentheses, may itself hold spaces and parentheses.
  const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state, parent: Number(parent) };
}

/** True while the process runs; one that has ended but was not yet collected by its parent (Z) does not. */
export function isRunning(pid: number): boolean {
  const stat = processStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X';
}

/** Ids of the running processes that `parent` started. */
export function childPidsOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && processStat(pid)?.parent === parent && isRunning(pid));
}
