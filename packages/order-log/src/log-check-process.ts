/**
 * Program: reads every entry of the log in the folder given as its argument and prints a {@link LogCheck} as JSON, behind a
 * blank for each second in which it got on.
 */
import { writeSync } from 'node:fs';
import { openLog, readMeta } from './environment.ts';
import type { Environment } from './environment.ts';
import { isDamage, OrderLogDamagedError, OrderLogVersionError } from './errors.ts';
import type { LogCheck } from './log-check.ts';
import { decodeBlock, endOf } from './blocks.ts';
import type { Block } from './blocks.ts';
import { decodeDelta } from './deltas.ts';
import {
  checkOrder,
  decodeMessage,
  entryKind,
  messageKey,
  META_KEY,
  missing,
  sequenceOfKey,
  WHOLE_MESSAGES_VERSION,
} from './records.ts';
import type { LogMeta } from './records.ts';

const VERSION_MISMATCH = -30794;
/** More than the pages in use between two prunings: to make the engine read through its list of free pages. */
const PROBE_BYTES = 4 * 2 ** 20;
const PROGRESS_MS = 1000;

function check(path: string): LogCheck {
  try {
    const { environment } = openLog(path, { readOnly: false });
    const isEmpty = !checkEntries(environment, path);
    probeFreePages(environment);
    return { result: 'sound', isEmpty };
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: unknown };
    if (error instanceof OrderLogVersionError) return { result: 'unreadable-version', found: error.found };
    if (code === VERSION_MISMATCH) return { result: 'unreadable-version', found: 'another engine version' };
    return { result: isDamage(error) ? 'damaged' : 'failed', reason: message };
  }
}

/**
 * Every checksum, that keys rise, that the messages are exactly those that the log says it holds, and that each finds in
 * its block the orders that it goes on from.
 *
 * @returns Whether anything was ever written.
 */
function checkEntries(environment: Environment, path: string): boolean {
  const meta = readMeta(environment, path);
  const blocks: Block[] = [];
  let previous: Uint8Array | undefined;
  let messages: MessageCheck | undefined;
  let shownMs = performance.now();
  for (const { key, value } of environment.getRange({ snapshot: true })) {
    if (previous && Buffer.compare(previous, key) >= 0)
      throw new OrderLogDamagedError('the entries of the order log are not in order');
    previous = Uint8Array.from(key);
    if (performance.now() - shownMs > PROGRESS_MS) {
      shownMs = performance.now();
      writeSync(1, ' ');
    }
    const kind = entryKind(key);
    if (!meta) throw new OrderLogDamagedError('the order log has entries, but not the one that says which');
    if (kind === 'order') checkOrder(key, value);
    if (kind === 'block') blocks.push(decodeBlock(key, value));
    if (kind !== 'message' && kind !== 'delta') continue;
    messages ??= new MessageCheck(meta, blocks);
    messages.take(kind, sequenceOfKey(key), value);
  }
  if (meta) (messages ?? new MessageCheck(meta, blocks)).end();
  return meta !== undefined;
}

/** Checks the messages, which come in the order of their numbers, against what the log says of itself. */
class MessageCheck {
  readonly #meta: LogMeta;
  readonly #blocks: Block[];
  #next: number;
  /** Bytes of the orders of each message of the block. */
  readonly #lists = new Map<number, number>();

  constructor(meta: LogMeta, blocks: readonly Block[]) {
    this.#meta = meta;
    this.#blocks = [...blocks];
    // Beyond the retention, but others of its block go on from it.
    this.#next = blocks[0]?.start ?? meta.oldest;
    const isReached = meta.oldest >= this.#next && meta.oldest <= meta.last + 1;
    if (!isReached) throw new OrderLogDamagedError(`the order log begins behind order ${meta.oldest}`);
  }

  take(kind: 'message' | 'delta', sequence: number, value: Buffer): void {
    if (sequence !== this.#next) throw missing(this.#next);
    this.#next++;
    this.#enterBlock(sequence);
    if (kind === 'message') {
      decodeMessage(sequence, value);
      return;
    }
    const { base, listBytes } = decodeDelta(sequence, value);
    // What is beyond the retention is not read any more, and is removed bit by bit.
    const isRead = sequence >= this.#meta.oldest;
    if (isRead && base.bytes > 0 && this.#lists.get(base.sequence) !== base.bytes)
      throw new OrderLogDamagedError(
        `order ${sequence} in the order log goes on from orders that are not there`,
      );
    this.#lists.set(sequence, listBytes);
  }

  #enterBlock(sequence: number): void {
    if (this.#meta.version === WHOLE_MESSAGES_VERSION) return;
    const [block] = this.#blocks;
    if (block === undefined || sequence < block.start)
      throw new OrderLogDamagedError(`order ${sequence} is in no block of the order log`);
    if (sequence === block.start) this.#lists.clear();
    if (sequence === endOf(block)) this.#blocks.shift();
  }

  end(): void {
    if (this.#next !== this.#meta.last + 1 || this.#blocks.length > 0)
      throw new OrderLogDamagedError(`the order log ends at ${this.#next - 1}, not at ${this.#meta.last}`);
  }
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
