import { readFileSync, readdirSync } from 'node:fs';

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

interface ProcessStat {
  /** Z and X: it has ended. */
  readonly state: string;
  readonly parent: number;
  /** When it started, in clock ticks since the system did. */
  readonly startTicks: number;
}

/** A process that no later one of the same id is taken for. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/** What /proc says of a process; undefined when there is none of this id. */
function processStat(pid: number): ProcessStat | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (hasCode(error, ['ENOENT', 'ESRCH'])) return undefined;
    throw error;
  }
  // The name, in parentheses, may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), startTicks: Number(fields[19]) };
}

/** True while the process runs; one that has ended but was not yet collected by its parent (Z) does not. */
export function isRunning(pid: number): boolean {
  const stat = processStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X';
}

/** True while this very process runs. */
export function isStillRunning({ pid, startTicks }: ProcessIdentity): boolean {
  return isRunning(pid) && processStat(pid)?.startTicks === startTicks;
}

/** The running processes that `parent` started. */
export function childrenOf(parent: number): ProcessIdentity[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? processStat(pid) : undefined;
    return stat?.parent === parent && isRunning(pid) ? [{ pid, startTicks: stat.startTicks }] : [];
  });
}

/** Ids of the running processes that `parent` started. */
export function childPidsOf(parent: number): number[] {
  return childrenOf(parent).map(({ pid }) => pid);
}
