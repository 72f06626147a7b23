/**
 * The log is a row of blocks. A message may go on from an earlier one of its block, and never across its border: so
 * the oldest block can be removed as a whole. It stays until the last of its messages is beyond the retention.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { Environment } from './environment.ts';
import { NO_BASE } from './deltas.ts';
import type { Base } from './deltas.ts';
import type { PositionParts } from './order-log.ts';
import { blockKey, CRC_BYTES, messageKey, missing, opened, sealed, timestampOf } from './records.ts';
import type { LogMeta } from './records.ts';

/** When a block ends. */
export interface BlockLimits {
  readonly maxOrders: number;
  /** On disk, once it has `minOrders`: large positions are stored once for each block. */
  readonly maxBytes: number;
  readonly minOrders: number;
}

/**
 * Each block stores a position anew with the first order of it. With smaller ones that would be most of the log where
 * thousands of positions trade in turns; larger ones make retention by bytes coarser.
 */
export const BLOCK_LIMITS: BlockLimits = { maxOrders: 65_536, maxBytes: 256 * 2 ** 20, minOrders: 64 };

/** Positions that are remembered to go on from; those that had no order for the longest time are stored anew. */
const MAX_LISTS = 10_000;

/** Pages of the engine; a larger value than fits twice into one gets pages of its own. */
const PAGE_BYTES = 4096;
const SHARED_PAGE_BYTES = 2030;

export interface Block {
  /** Sequence of its first message. */
  readonly start: number;
  readonly count: number;
  /** On disk. */
  readonly bytes: number;
  /** The latest of its messages, Unix ms. */
  readonly newestMs: number;
}

/** What a value takes on disk. */
export function storedBytes({ length }: Uint8Array): number {
  if (length <= SHARED_PAGE_BYTES) return length + 24;
  return 24 + Math.ceil((length + 16) / PAGE_BYTES) * PAGE_BYTES;
}

export function encodeBlock(block: Block): Buffer {
  return sealed(blockKey(block.start), Buffer.from(`\0\0\0\0${JSON.stringify(block)}`));
}

/** @throws OrderLogDamagedError */
export function decodeBlock(key: Uint8Array, value: Buffer): Block {
  return JSON.parse(opened(key, value).toString('utf8', CRC_BYTES)) as Block;
}

/** All blocks, the oldest first. */
export function readBlocks(environment: Environment): Block[] {
  const range = environment.getRange({ start: blockKey(0), end: blockKey(Infinity) });
  return [...range].map(({ key, value }) => decodeBlock(key, value));
}

export function isFull({ count, bytes }: Block, { maxOrders, maxBytes, minOrders }: BlockLimits): boolean {
  return count >= maxOrders || (bytes >= maxBytes && count >= minOrders);
}

export function endOf({ start, count }: Block): number {
  return start + count - 1;
}

/** What is left of a block without its first messages. */
export function shortened(block: Block, removed: number): Block {
  const { start, count, bytes } = block;
  const left = count - removed;
  return { ...block, start: start + removed, count: left, bytes: Math.ceil((bytes * left) / count) };
}

export function grown(block: Block, value: Buffer, timestampMs: number): Block {
  return {
    start: block.start,
    count: block.count + 1,
    bytes: block.bytes + storedBytes(value),
    newestMs: Math.max(block.newestMs, timestampMs),
  };
}

/** Groups the messages of a log of format 1, which had no blocks. Within a transaction. */
export function makeBlocksOfWholeMessages(environment: Environment, { oldest, last }: LogMeta): void {
  let block: Block = { start: oldest, count: 0, bytes: 0, newestMs: 0 };
  for (let sequence = oldest; sequence <= last; sequence++) {
    const value = environment.getBinary(messageKey(sequence));
    if (!value) throw missing(sequence);
    block = grown(block, value, timestampOf(value));
    if (!isFull(block, BLOCK_LIMITS) && sequence < last) continue;
    environment.putSync(blockKey(block.start), encodeBlock(block));
    block = { start: sequence + 1, count: 0, bytes: 0, newestMs: 0 };
  }
}

/** The orders of a position as they were stored last in the block that is being written. */
interface StoredList {
  readonly sequence: number;
  readonly bytes: number;
  /** Of those bytes: a later reading goes on from them only if it begins with them. */
  readonly hash: Hash;
  /** Where they are from; what comes from the same object needs no comparison. */
  readonly list: WeakRef<Uint8Array>;
}

/** Which orders of which position the block that is being written holds. */
export class StoredLists {
  readonly #lists = new Map<string, StoredList>();

  /** What the orders of a message go on from, which is remembered as the next one to go on from. */
  next(hotkey: string, position: PositionParts | string, sequence: number): Base {
    if (typeof position === 'string') return NO_BASE;
    const { positionUuid, list, listBytes } = position;
    const key = `${hotkey} ${positionUuid}`;
    const stored = this.#lists.get(key);
    const goesOn = stored !== undefined && begins(position, stored);
    const base = goesOn ? { sequence: stored.sequence, bytes: stored.bytes } : NO_BASE;
    const hash = goesOn ? stored.hash : createHash('sha256');
    hash.update(list.subarray(base.bytes, listBytes));
    this.#lists.delete(key);
    this.#lists.set(key, { sequence, bytes: listBytes, hash, list: new WeakRef(list) });
    const [longestUnused] = this.#lists.keys();
    if (this.#lists.size > MAX_LISTS && longestUnused !== undefined) this.#lists.delete(longestUnused);
    return base;
  }
}

function begins({ list, listBytes }: PositionParts, stored: StoredList): boolean {
  if (stored.bytes > listBytes) return false;
  if (stored.list.deref() === list) return true;
  const beginning = createHash('sha256').update(list.subarray(0, stored.bytes));
  return beginning.digest().equals(stored.hash.copy().digest());
}
