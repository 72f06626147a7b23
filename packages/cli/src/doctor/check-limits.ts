import { readFileSync } from 'node:fs';
import { maxOpenFiles } from '@ptn-api/runtime';
import type { ServerConfig } from '@ptn-api/runtime';
import { ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';
import type { ScannedTree } from './scan-tree.ts';

const WATCHES_FILE = '/proc/sys/fs/inotify/max_user_watches';
/** What other programs of the same user watch, and what the validator adds. */
const WATCHES_SPARE = 1.5;
/** One for each connection, and those of the files that are open in between. */
const FEWEST_OPEN_FILES = 4096;

/** Whether the system watches as many folders as there are. Where its limit is not known, nothing is found. */
export function checkWatches(
  { watch }: ServerConfig,
  { directories }: ScannedTree,
  limitsFile = WATCHES_FILE,
): Finding[] {
  if (watch === 'poll') return [ok('inotify', 'not used with --watch poll')];
  const text = readText(limitsFile);
  if (text === undefined) return [];
  const limit = Number(text);
  const needed = Math.ceil(directories * WATCHES_SPARE);
  if (limit >= needed) return [ok('inotify', `${limit} watches allowed, about ${directories} needed`)];
  return [
    warning(
      'inotify',
      `fs.inotify.max_user_watches is ${limit}, with ${directories} folders at least ${needed} are needed: ` +
        'without, orders are found by looking alone, within a second',
      `run sysctl -w fs.inotify.max_user_watches=${needed * 2}, and put it into /etc/sysctl.d/`,
    ),
  ];
}

/** Whether as many connections may be open as a server has to expect. */
export function checkOpenFiles(limitsFile?: string): Finding[] {
  const limit = maxOpenFiles(limitsFile);
  if (limit === undefined) return [];
  if (limit >= FEWEST_OPEN_FILES)
    return [ok('open files', `${limit === Infinity ? 'unlimited' : limit} allowed for each process`)];
  return [
    warning(
      'open files',
      `only ${limit} are allowed for each process, and every connection is one`,
      'raise it: LimitNOFILE=65536 in the systemd unit, or ulimit -n 65536 before the start',
    ),
  ];
}

/** `undefined` where there is no such file: not on this system. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
