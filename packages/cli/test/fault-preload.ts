/**
 * Loaded into every process of a server under test (`node --import`): sets its clocks, or makes the disk slow for the
 * feed, as the file named by PTN_TEST_FAULTS says, whenever that changes.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

export interface Faults {
  /** The wall clock goes wrong by so much. */
  readonly wallMs?: number;
  /** So much more time passes, by the monotonic clock. */
  readonly monotonicMs?: number;
  /** Everything that the feed asks of a path below `slowUnder` takes so much longer. */
  readonly slowMs?: number;
  readonly slowUnder?: string;
}

const READ_EVERY_NS = 10_000_000n;

const path = process.env['PTN_TEST_FAULTS'] ?? '';
const { readFileSync } = fs;
const now = Date.now.bind(Date);
const bigint = process.hrtime.bigint.bind(process.hrtime);
let read: Faults = {};
let readAt = -READ_EVERY_NS;

/** @param isFresh whether what was set a moment ago has to count already */
function faults(isFresh = false): Faults {
  const at = bigint();
  if (isFresh || at - readAt >= READ_EVERY_NS) {
    readAt = at;
    read = JSON.parse(readFileSync(path, 'utf8')) as Faults;
  }
  return read;
}

Date.now = () => now() + (faults().wallMs ?? 0);
process.hrtime.bigint = () => bigint() + 1_000_000n * BigInt(faults().monotonicMs ?? 0);

const never = new Int32Array(new SharedArrayBuffer(4));

/** The time that a slow disk takes; blocks the thread, as a disk does. */
function takeTime(asked: unknown): void {
  const { slowMs = 0, slowUnder } = faults(true);
  if (slowMs === 0 || slowUnder === undefined || !String(asked).startsWith(slowUnder)) return;
  Atomics.wait(never, 0, 0, slowMs);
}

if (process.argv[1]?.endsWith('/feed/dist/main.js') === true) {
  for (const name of ['existsSync', 'lstatSync', 'openSync', 'readdirSync', 'statSync'] as const) {
    const original = fs[name] as (...args: unknown[]) => unknown;
    Object.assign(fs, {
      [name]: (...args: unknown[]) => {
        takeTime(args[0]);
        return original(...args);
      },
    });
  }
  syncBuiltinESMExports();
}
