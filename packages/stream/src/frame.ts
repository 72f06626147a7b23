import type { OrderMessage } from '@ptn-api/order-log';
import { matches, NO_FILTER } from './order-filter.ts';
import type { OrderFilter } from './order-filter.ts';

/** Where a subscription stands in the stream. */
export interface CursorPosition {
  /** Every order up to this one was sent, or is not wanted. */
  readonly after: number;
  /** The last order that was sent to a filtered client; at first, where its stream began. */
  readonly previous: number;
}

/** The next text to send to a client, and where it stands then. */
export interface Frame extends CursorPosition {
  /** Absent where no order of the range passes the filter. Shared by all connections: never written to. */
  readonly bytes?: Buffer;
  /** Orders in `bytes`. */
  readonly count: number;
  /** When the last of them became available (Unix ms); 0 without any. */
  readonly newestMs: number;
}

/** Few enough that a slow client shows with every one that it reads. */
const MAX_FRAME_BYTES = 64 * 1024;
const BATCH_HEAD = Buffer.from('{"type":"batch","messages":[');
const SEPARATOR = Buffer.from(',');

/**
 * The orders of `messages` that pass the filter, as many as fit and at most `maxCount`, from the first on: one order as it is, several as a
 * batch. Their bytes are joined as they are and never parsed.
 */
export function buildFrame(
  messages: readonly OrderMessage[],
  from: CursorPosition,
  filter: OrderFilter,
  maxCount = Infinity,
): Frame {
  const parts: Buffer[] = [];
  let sizeBytes = BATCH_HEAD.length;
  let { after, previous } = from;
  let newestMs = 0;
  for (const message of messages) {
    if (matches(filter, message)) {
      const bytes = filter === NO_FILTER ? viewOf(message.bytes) : withPrevious(message.bytes, previous);
      if (parts.length >= maxCount) break;
      // An order that is larger than a frame goes alone.
      if (parts.length > 0 && sizeBytes + bytes.length > MAX_FRAME_BYTES) break;
      parts.push(bytes);
      sizeBytes += bytes.length + SEPARATOR.length;
      previous = message.sequence;
      newestMs = message.timestampMs;
    }
    after = message.sequence;
  }
  const [first] = parts;
  const count = parts.length;
  if (first === undefined) return { after, previous, count, newestMs };
  return { after, previous, count, newestMs, bytes: count === 1 ? first : joinBatch(parts) };
}

function joinBatch(parts: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [BATCH_HEAD];
  for (const part of parts) {
    if (pieces.length > 1) pieces.push(SEPARATOR);
    pieces.push(part);
  }
  pieces.push(Buffer.from(`],"count":${parts.length}}`));
  return Buffer.concat(pieces);
}

/** `{"sequence":N,…` with `"previous_sequence":P,` after its first member. */
function withPrevious(bytes: Uint8Array, previous: number): Buffer {
  const whole = viewOf(bytes);
  const cut = whole.indexOf(',') + 1;
  return Buffer.concat([
    whole.subarray(0, cut),
    Buffer.from(`"previous_sequence":${previous},`),
    whole.subarray(cut),
  ]);
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
