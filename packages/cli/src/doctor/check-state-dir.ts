import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ServerConfig } from '@ptn-api/runtime';
import { ok, problem, warning } from './finding.ts';
import type { Finding } from './finding.ts';

/** An order takes some 2 KB, with what is free within the log. */
const BYTES_PER_ORDER = 4096;
const MIN_FREE_BYTES = 64 * 2 ** 20;
const GIB = 2 ** 30;

/** The folder for what the server keeps: whether it can be written to, and has room. */
export function checkStateDir({
  stateDir,
  orderRetentionCount,
  orderRetentionBytes,
}: ServerConfig): Finding[] {
  const folder = nearestExisting(stateDir);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [
      problem(
        'state folder',
        detail,
        `let the user of the server write to ${folder}, or give another --state-dir`,
      ),
    ];
  }
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const room = `${stateDir}, ${(free / GIB).toFixed(1)} GiB free`;
  if (free < MIN_FREE_BYTES) {
    return [
      problem('state folder', room, 'make room, or give another --state-dir: orders could not be stored'),
    ];
  }
  const most = Math.min(orderRetentionCount * BYTES_PER_ORDER, orderRetentionBytes);
  if (free < most) {
    return [
      warning(
        'state folder',
        `${room}, and the orders that are kept may take ${(most / GIB).toFixed(1)} GiB`,
        'make room, or keep fewer orders with --order-retention-bytes or --order-retention-count',
      ),
    ];
  }
  return [ok('state folder', room)];
}

/** The server makes the folder where there is none. */
function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}
