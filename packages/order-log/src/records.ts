/**
 * What the log's entries look like. All are in one tree, distinguished by the first byte of the key:
 *
 * | key                          | value                                                                  |
 * | ---------------------------- | ---------------------------------------------------------------------- |
 * | `01`                         | CRC-32 (4 bytes), then JSON `{"version":2,…}`: {@link LogMeta}         |
 * | `01`, sequence as a double   | CRC-32 (4), then JSON: the block that begins there, see blocks.ts      |
 * | `02`, order uuid (UTF-8)     | CRC-32 (4), sequence as a double (8), 0 if only remembered             |
 * | `03`, sequence as a double   | CRC-32 (4), timestamp ms as a double (8), lengths of hotkey, pair and  |
 * |                              | uuid (2 each), hotkey, pair and uuid (UTF-8), message bytes (the rest) |
 * |                              | Written up to format 1.                                                |
 * | `04`, sequence as a double   | CRC-32 (4), the same up to the lengths, then see deltas.ts             |
 *
 * Numbers are big-endian: doubles that are not negative then sort by value, and hold every integer up to 2^53.
 * Sequences come last in the tree, so that appending fills its pages instead of splitting them in halves.
 * The CRC covers key and value, so that an entry that ended up under another's key is found, too.
 */
import { crc32 } from 'node:zlib';
import { OrderLogDamagedError } from './errors.ts';
import type { OrderEvent, OrderLogState, OrderMessage, OrderNames } from './order-log.ts';

/** Of the layout above. A log of a higher version is refused. */
export const FORMAT_VERSION = 2;
/** Kept every message as a whole; such a log is read and continued. */
export const WHOLE_MESSAGES_VERSION = 1;

export interface LogMeta extends OrderLogState {
  readonly version: number;
  /** Unix ms at which a writer was last known to run; `null` before it said so. */
  readonly lastAliveMs: number | null;
}

export type EntryKind = 'meta' | 'block' | 'order' | 'message' | 'delta';

const META = 1;
const ORDER = 2;
const MESSAGE = 3;
const DELTA = 4;
export const CRC_BYTES = 4;
/** Up to the names. */
export const MESSAGE_HEADER_BYTES = CRC_BYTES + 8 + 2 + 2 + 2;
/** Keys of the engine end at 1978 bytes; real uuids have 36. */
const MAX_UUID_BYTES = 1_000;
const MAX_NAME_BYTES = 0xffff;

export const META_KEY: Uint8Array = Uint8Array.of(META);

export function entryKind(key: Uint8Array): EntryKind {
  if (key[0] === META && key.length === 1) return 'meta';
  if (key[0] === ORDER) return 'order';
  if (key.length === 9) {
    if (key[0] === META) return 'block';
    if (key[0] === MESSAGE) return 'message';
    if (key[0] === DELTA) return 'delta';
  }
  throw new OrderLogDamagedError('the order log has an entry of an unknown kind');
}

/** @throws RangeError for an empty uuid and for one of more than 1,000 bytes. */
export function orderKey(orderUuid: string): Uint8Array {
  const key = Buffer.from(`\u0002${orderUuid}`);
  if (key.length === 1 || key.length > MAX_UUID_BYTES + 1)
    throw new RangeError(`an order uuid has 1 to ${MAX_UUID_BYTES} bytes, this one has ${key.length - 1}`);
  return key;
}

function numberedKey(kind: number, sequence: number): Uint8Array {
  const key = Buffer.allocUnsafe(9);
  key[0] = kind;
  key.writeDoubleBE(sequence, 1);
  return key;
}

export function messageKey(sequence: number): Uint8Array {
  return numberedKey(MESSAGE, sequence);
}

export function deltaKey(sequence: number): Uint8Array {
  return numberedKey(DELTA, sequence);
}

export function blockKey(start: number): Uint8Array {
  return numberedKey(META, start);
}

export function sequenceOfKey(key: Uint8Array): number {
  return Buffer.from(key).readDoubleBE(1);
}

export function encodeMeta(meta: LogMeta): Buffer {
  return sealed(META_KEY, Buffer.from(`\0\0\0\0${JSON.stringify(meta)}`));
}

/** The layout beyond `version` is only known for versions up to {@link FORMAT_VERSION}. */
export function decodeMeta(value: Buffer): LogMeta {
  return JSON.parse(opened(META_KEY, value).toString('utf8', CRC_BYTES)) as LogMeta;
}

export function encodeOrder(key: Uint8Array, sequence: number): Buffer {
  const value = Buffer.alloc(CRC_BYTES + 8);
  value.writeDoubleBE(sequence, CRC_BYTES);
  return sealed(key, value);
}

export function checkOrder(key: Uint8Array, value: Buffer): void {
  opened(key, value);
}

/**
 * The beginning of a message's record, zeroes for `more` bytes behind the lengths, and the names.
 *
 * @throws RangeError for a hotkey or trade pair of more than 65,535 bytes.
 */
export function encodeHeader(event: OrderEvent, more: number): { header: Buffer; names: Buffer[] } {
  const names = [event.hotkey, event.tradePairId, event.orderUuid].map((name) => Buffer.from(name));
  const header = Buffer.alloc(MESSAGE_HEADER_BYTES + more);
  header.writeDoubleBE(event.timestampMs, CRC_BYTES);
  names.forEach((name, index) => {
    if (name.length > MAX_NAME_BYTES)
      throw new RangeError(`a hotkey or trade pair of order ${event.orderUuid} has ${name.length} bytes`);
    header.writeUInt16BE(name.length, CRC_BYTES + 8 + index * 2);
  });
  return { header, names };
}

/** What a message is sent as, before and behind its position. */
export function envelope(sequence: number, timestampMs: number): readonly [string, string] {
  return [`{"sequence":${sequence},"timestamp":${timestampMs},"data":{"position":`, '}}'];
}

/**
 * A whole message, as format 1 wrote it.
 *
 * @throws OrderLogDamagedError when the bytes are not those that were written under this number.
 */
export function decodeMessage(sequence: number, value: Buffer): OrderMessage {
  opened(messageKey(sequence), value);
  const { hotkey, tradePairId, timestampMs, end } = decodeHeader(value, 0);
  return { sequence, hotkey, tradePairId, timestampMs, bytes: value.subarray(end) };
}

/** @param more bytes between the lengths and the names. */
export function decodeHeader(value: Buffer, more: number): OrderNames & DecodedHeader {
  const start = MESSAGE_HEADER_BYTES + more;
  const hotkeyEnd = start + value.readUInt16BE(CRC_BYTES + 8);
  const tradePairEnd = hotkeyEnd + value.readUInt16BE(CRC_BYTES + 10);
  const end = tradePairEnd + value.readUInt16BE(CRC_BYTES + 12);
  return {
    hotkey: value.toString('utf8', start, hotkeyEnd),
    tradePairId: value.toString('utf8', hotkeyEnd, tradePairEnd),
    orderUuid: value.toString('utf8', tradePairEnd, end),
    timestampMs: timestampOf(value),
    end,
  };
}

interface DecodedHeader {
  /** Where what follows the names begins. */
  readonly end: number;
}

/** Of the record of a message of either format. */
export function timestampOf(value: Buffer): number {
  return value.readDoubleBE(CRC_BYTES);
}

export function missing(sequence: number): OrderLogDamagedError {
  return new OrderLogDamagedError(`order ${sequence} is missing from the order log`);
}

function checksum(key: Uint8Array, value: Buffer): number {
  return crc32(value.subarray(CRC_BYTES), crc32(key));
}

/** The value with its checksum filled in. */
export function sealed(key: Uint8Array, value: Buffer): Buffer {
  value.writeUInt32BE(checksum(key, value));
  return value;
}

/** @throws OrderLogDamagedError when the value is not what was written under this key. */
export function opened(key: Uint8Array, value: Buffer): Buffer {
  if (value.length > CRC_BYTES && value.readUInt32BE() === checksum(key, value)) return value;
  const kind = entryKind(key);
  const isOrder = kind === 'message' || kind === 'delta';
  const name = isOrder ? `order ${sequenceOfKey(key)}` : `an entry (${kind})`;
  throw new OrderLogDamagedError(`${name} in the order log is damaged: its checksum does not match`);
}
