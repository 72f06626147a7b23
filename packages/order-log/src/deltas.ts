/**
 * Records of messages that share the orders of their position with an earlier one. Behind the lengths of the names stand:
 *
 * | bytes | what                                                                                      |
 * | ----- | ----------------------------------------------------------------------------------------- |
 * | 8     | sequence (a double) of the message whose orders these go on from; 0 of one that has none   |
 * | 4     | bytes of that one's orders                                                                |
 * | 4     | bytes of the text before the orders                                                       |
 * | 4     | bytes of the orders that this record adds                                                 |
 *
 * then the names, the text before the orders, the added orders, and the text behind them. A message goes on from one of
 * its own block only, so that blocks can be removed.
 */
import type { OrderEvent, OrderNames } from './order-log.ts';
import { decodeHeader, deltaKey, encodeHeader, MESSAGE_HEADER_BYTES, opened, sealed } from './records.ts';

const REFERENCE_BYTES = 8 + 4 + 4 + 4;

/** Where the orders of a message go on from. */
export interface Base {
  /** 0 where there is none. */
  readonly sequence: number;
  /** Of its orders; 0 where there is none. */
  readonly bytes: number;
}

export const NO_BASE: Base = { sequence: 0, bytes: 0 };

export interface Delta extends OrderNames {
  readonly base: Base;
  readonly head: Buffer;
  readonly added: Buffer;
  readonly tail: Buffer;
  /** Of all orders of the message. */
  readonly listBytes: number;
}

/** @throws RangeError for a hotkey or trade pair of more than 65,535 bytes. */
export function encodeDelta(sequence: number, event: OrderEvent, base: Base): Buffer {
  const { header, names } = encodeHeader(event, REFERENCE_BYTES);
  const { position } = event;
  const parts =
    typeof position === 'string'
      ? { head: position, list: Buffer.alloc(0), listBytes: 0, tail: '' }
      : position;
  const head = Buffer.from(parts.head);
  const added = parts.list.subarray(base.bytes, parts.listBytes);
  header.writeDoubleBE(base.sequence, MESSAGE_HEADER_BYTES);
  [base.bytes, head.length, added.length].forEach((bytes, index) =>
    header.writeUInt32BE(bytes, MESSAGE_HEADER_BYTES + 8 + index * 4),
  );
  return sealed(deltaKey(sequence), Buffer.concat([header, ...names, head, added, Buffer.from(parts.tail)]));
}

/** @throws OrderLogDamagedError when the bytes are not those that were written under this number. */
export function decodeDelta(sequence: number, value: Buffer): Delta {
  opened(deltaKey(sequence), value);
  const { end, ...order } = decodeHeader(value, REFERENCE_BYTES);
  const baseBytes = value.readUInt32BE(MESSAGE_HEADER_BYTES + 8);
  const headEnd = end + value.readUInt32BE(MESSAGE_HEADER_BYTES + 12);
  const addedEnd = headEnd + value.readUInt32BE(MESSAGE_HEADER_BYTES + 16);
  return {
    ...order,
    base: { sequence: value.readDoubleBE(MESSAGE_HEADER_BYTES), bytes: baseBytes },
    head: value.subarray(end, headEnd),
    added: value.subarray(headEnd, addedEnd),
    tail: value.subarray(addedEnd),
    listBytes: baseBytes + addedEnd - headEnd,
  };
}

/** Who a message is about, without what stands in it. @throws OrderLogDamagedError as {@link decodeDelta}. */
export function decodeDeltaOrder(sequence: number, value: Buffer): OrderNames {
  opened(deltaKey(sequence), value);
  return decodeHeader(value, REFERENCE_BYTES);
}
