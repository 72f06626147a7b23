/** Program: reads every entry of the log in the folder given as its argument and prints a {@link LogCheck} as JSON. */
import { openEnvironment, readMeta } from './environment.ts';
import type { Environment } from './environment.ts';
import { OrderLogDamagedError, OrderLogVersionError } from './errors.ts';
import type { LogCheck } from './log-check.ts';
import { checkOrder, decodeMessage, entryKind, messageKey, META_KEY, sequenceOfKey } from './records.ts';

/** lmdb.h: what the engine answers when the file contradicts itself. */
const DAMAGE_CODES = new Set([-30797, -30796, -30795, -30793, -30782]);
const VERSION_MISMATCH = -30794;
/** More than the pages in use between two prunings: to make the engine read through its list of free pages. */
const PROBE_BYTES = 4 * 2 ** 20;

function check(path: string): LogCheck {
  try {
    const environment = openEnvironment(path, { readOnly: false });
    const isEmpty = !checkEntries(environment, path);
    probeFreePages(environment);
    return { result: 'sound', isEmpty };
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: unknown };
    if (error instanceof OrderLogVersionError) return { result: 'unreadable-version', found: error.found };
    if (code === VERSION_MISMATCH) return { result: 'unreadable-version', found: 'another engine version' };
    const isDamage = error instanceof OrderLogDamagedError || DAMAGE_CODES.has(Number(code));
    return { result: isDamage ? 'damaged' : 'failed', reason: message };
  }
}

/**
 * Every checksum, that keys rise, and that the messages are exactly those that the log says it holds.
 *
 * @returns Whether anything was ever written.
 */
function checkEntries(environment: Environment, path: string): boolean {
  const meta = readMeta(environment, path);
  let previous: Uint8Array | undefined;
  let messages = 0;
  for (const { key, value } of environment.getRange({ snapshot: true })) {
    if (previous && Buffer.compare(previous, key) >= 0)
      throw new OrderLogDamagedError('the entries of the order log are not in order');
    previous = Uint8Array.from(key);
    const kind = entryKind(key);
    if (!meta) throw new OrderLogDamagedError('the order log has entries, but not the one that says which');
    if (kind === 'order') checkOrder(key, value);
    if (kind !== 'message') continue;
    const sequence = sequenceOfKey(key);
    if (sequence !== meta.oldest + messages)
      throw new OrderLogDamagedError(`order ${meta.oldest + messages} is missing from the order log`);
    decodeMessage(sequence, value);
    messages++;
  }
  if (meta && messages !== meta.last - meta.oldest + 1)
    throw new OrderLogDamagedError(
      `the order log ends at ${meta.oldest + messages - 1}, not at ${meta.last}`,
    );
  return meta !== undefined;
}

/** The list of free pages is only read by writing: writes, and takes it back. */
function probeFreePages(environment: Environment): void {
  const takeBack = new Error('taken back');
  try {
    environment.transactionSync(() => {
      environment.putSync(messageKey(Number.MAX_SAFE_INTEGER), Buffer.alloc(PROBE_BYTES));
      environment.removeSync(META_KEY);
      // A write that failed only spoils its transaction; reading in that one throws.
      environment.getBinary(META_KEY);
      throw takeBack;
    });
  } catch (error) {
    if (error !== takeBack) throw error;
  }
}

process.stdout.write(JSON.stringify(check(process.argv[2] ?? '')));
