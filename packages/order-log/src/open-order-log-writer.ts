import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { BLOCK_LIMITS, makeBlocksOfWholeMessages, readBlocks } from './blocks.ts';
import type { BlockLimits } from './blocks.ts';
import { dataFile, hasDataFile } from './data-file.ts';
import { openLog, readMeta } from './environment.ts';
import type { OpenedLog } from './environment.ts';
import { OrderLogVersionError, OrderLogWriteError } from './errors.ts';
import { readHighWater, syncFolder, writeHighWater } from './high-water.ts';
import { checkLog } from './log-check.ts';
import { LmdbOrderLogWriter } from './order-log-writer.ts';
import type { OrderLogWriter } from './order-log.ts';
import { encodeMeta, FORMAT_VERSION, META_KEY, WHOLE_MESSAGES_VERSION } from './records.ts';
import type { LogMeta } from './records.ts';
import { takeWriterLock } from './writer-lock.ts';

export interface OrderLogWriterOptions {
  /** The log's folder, in the state directory. Made if it is not there. */
  readonly path: string;
  /** The last number that the Python server used: numbering goes on above it, also in a log that is there. */
  readonly startAfter: number;
  readonly log: Logger;
  readonly blockLimits?: BlockLimits;
  /** A damaged log was found, and moved away. */
  readonly onDamaged?: (reason: string) => void;
}

/** What opening a log writes, several times over. */
const OPENING_BYTES = 256 * 2 ** 10;

/**
 * Opens the log in the folder as its only writer, and makes it if there is none.
 *
 * The whole log is read before. A damaged one is moved to `<path>.damaged-<time>` and logged as an error; a new one, of
 * another epoch, goes on above every number that the lost one may have used.
 *
 * @throws OrderLogInUseError, OrderLogVersionError
 * @throws OrderLogWriteError where the disk is full.
 */
export async function openOrderLogWriter(options: OrderLogWriterOptions): Promise<OrderLogWriter> {
  mkdirSync(options.path, { recursive: true, mode: 0o700 });
  const releaseLock = takeWriterLock(options.path);
  try {
    ensureRoom(options.path);
    return await openLocked(options, releaseLock);
  } catch (error) {
    releaseLock();
    throw error;
  }
}

/**
 * Sees whether there is room for what is written next. The engine maps its files: on a full disk the system
 * would end this process without a word (SIGBUS), or the one that checks the log, as if the log were damaged.
 */
function ensureRoom(path: string): void {
  const probe = join(path, 'room-probe');
  try {
    writeFileSync(probe, Buffer.alloc(OPENING_BYTES), { mode: 0o600 });
  } catch (error) {
    throw new OrderLogWriteError(path, error);
  } finally {
    rmSync(probe, { force: true });
  }
}

async function openLocked(options: OrderLogWriterOptions, releaseLock: () => void): Promise<OrderLogWriter> {
  const { path, log, onDamaged, blockLimits = BLOCK_LIMITS } = options;
  const lostBecause = await findDamage(path);
  if (lostBecause !== undefined) {
    const movedTo = hasDataFile(path) ? moveAside(path) : null;
    log.error(
      { event: 'order-log-damaged', path, movedTo, reason: lostBecause },
      'the order log is damaged: a new one is made, whose clients cannot resume from before it',
    );
    onDamaged?.(lostBecause);
  }
  const mark = readHighWater(path);
  if (mark === 'damaged')
    log.warn({ event: 'order-log-high-water-damaged', path }, 'the mark beside the order log is unreadable');
  const marked = typeof mark === 'object' ? mark : undefined;

  const opened = openLog(path, { readOnly: false });
  try {
    const { environment } = opened;
    const found = readMeta(environment, path);
    const meta = found
      ? upgraded(opened, found)
      : makeLog(opened, Math.max(options.startAfter, marked?.last ?? 0));
    const blocks = readBlocks(environment);
    // The folder may be new, and the engine does not sync the folder that it makes its file in.
    if (!found) [path, dirname(path)].forEach(syncFolder);
    const highWater = marked?.epoch === meta.epoch ? marked : writeHighWater(path, meta.epoch, meta.last);
    const writer = new LmdbOrderLogWriter({
      path,
      opened,
      meta,
      blocks,
      blockLimits,
      highWater,
      isNew: !found,
      releaseLock,
    });
    if (options.startAfter > meta.last) await continueAfter(writer, options);
    return writer;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** The Python server went on numbering beside this log, which has none of those orders. */
async function continueAfter(
  writer: LmdbOrderLogWriter,
  { startAfter, log }: OrderLogWriterOptions,
): Promise<void> {
  const { last } = writer.state();
  await writer.continueAfter(startAfter);
  log.warn(
    { event: 'sequence-taken-over', last, python: startAfter },
    `orders are numbered from ${startAfter + 1} on, after the last number of the Python server, and not from ${last + 1}: ` +
      'what this log held before cannot be resumed from, as the orders in between are not in it',
  );
}

/** Why the log that was here is lost; `undefined` when it is not, or when there was none. */
async function findDamage(path: string): Promise<string | undefined> {
  // The mark is written only once there is a log.
  const hadLog = readHighWater(path) !== undefined;
  if (!hasDataFile(path)) return hadLog ? 'its file is missing' : undefined;
  const check = await checkLog(path);
  switch (check.result) {
    case 'sound':
      // The engine takes a file without a byte for one that it is to fill.
      return check.isEmpty && hadLog ? 'it is empty' : undefined;
    case 'damaged':
      return check.reason;
    case 'unreadable-version':
      throw new OrderLogVersionError(path, check.found);
    case 'failed':
      throw new Error(`the order log ${path} cannot be read: ${check.reason}`);
  }
}

/** The mark stays: it is what the new log goes by. */
function moveAside(path: string): string {
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const aside = join(dirname(path), `${basename(path)}.damaged-${time}`);
  mkdirSync(aside, { mode: 0o700 });
  renameSync(dataFile(path), join(aside, 'data.mdb'));
  renameSync(join(path, 'lock.mdb'), join(aside, 'lock.mdb'));
  [aside, path, dirname(path)].forEach(syncFolder);
  return aside;
}

/** A log of format 1 gets what later ones have besides; its messages stay as they are. */
function upgraded(opened: OpenedLog, found: LogMeta): LogMeta {
  if (found.version !== WHOLE_MESSAGES_VERSION) return found;
  const meta = { ...found, version: FORMAT_VERSION };
  const { environment } = opened;
  opened.commit(() => {
    makeBlocksOfWholeMessages(environment, meta);
    environment.putSync(META_KEY, encodeMeta(meta));
  });
  return meta;
}

function makeLog(opened: OpenedLog, startAfter: number): LogMeta {
  const meta: LogMeta = {
    version: FORMAT_VERSION,
    epoch: randomUUID(),
    oldest: startAfter + 1,
    last: startAfter,
    lastAliveMs: null,
  };
  opened.commit(() => {
    opened.environment.putSync(META_KEY, encodeMeta(meta));
  });
  return meta;
}
