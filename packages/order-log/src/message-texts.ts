import { decodeDelta } from './deltas.ts';
import type { Delta } from './deltas.ts';
import type { Environment } from './environment.ts';
import { OrderLogDamagedError } from './errors.ts';
import { recordOf } from './logged-orders.ts';
import type { OrderMessage } from './order-log.ts';
import { decodeMessage, deltaKey, envelope, missing } from './records.ts';

/** Of the newest message of each position that was read: enough for some thousand positions that trade in turns. */
const CACHED_BYTES = 32 * 2 ** 20;

/** The orders of a message, in a buffer that has room for those of the next. */
interface CachedList {
  readonly buffer: Buffer;
  readonly bytes: number;
}

/** Puts messages together from what the log holds of them. */
export class MessageTexts {
  /** The orders of messages, those that were read last at the end. */
  readonly #lists = new Map<number, CachedList>();
  #cachedBytes = 0;

  clear(): void {
    this.#lists.clear();
    this.#cachedBytes = 0;
  }

  /** @throws OrderLogDamagedError when something is missing, or is not what was written. */
  read(environment: Environment, sequence: number): OrderMessage {
    const { isDelta, value } = recordOf(environment, sequence);
    if (!isDelta) return decodeMessage(sequence, value);
    return this.#join(environment, sequence, decodeDelta(sequence, value));
  }

  #join(environment: Environment, sequence: number, delta: Delta): OrderMessage {
    const { hotkey, tradePairId, timestampMs, head, tail, listBytes } = delta;
    const [before, behind] = envelope(sequence, timestampMs).map((text) => Buffer.from(text));
    if (before === undefined || behind === undefined) throw new RangeError('a message has two ends');
    const bytes = Buffer.allocUnsafeSlow(
      before.length + head.length + listBytes + tail.length + behind.length,
    );
    before.copy(bytes);
    head.copy(bytes, before.length);
    const list = bytes.subarray(before.length + head.length, before.length + head.length + listBytes);
    this.#fill(environment, sequence, delta, list);
    tail.copy(bytes, bytes.length - behind.length - tail.length);
    behind.copy(bytes, bytes.length - behind.length);
    this.#keep(sequence, delta, list);
    return { sequence, hotkey, tradePairId, timestampMs, bytes };
  }

  /** From the end to the beginning, until one is met whose orders are at hand. */
  #fill(environment: Environment, sequence: number, newest: Delta, list: Buffer): void {
    let [at, delta] = [sequence, newest];
    for (;;) {
      const { base, added } = delta;
      added.copy(list, base.bytes);
      if (base.bytes === 0) return;
      const known = this.#lists.get(base.sequence);
      if (known?.bytes === base.bytes) {
        known.buffer.copy(list, 0, 0, known.bytes);
        return;
      }
      const value = base.sequence < at ? environment.getBinary(deltaKey(base.sequence)) : undefined;
      if (value === undefined) throw missing(base.sequence);
      [at, delta] = [base.sequence, decodeDelta(base.sequence, value)];
      if (delta.listBytes !== base.bytes)
        throw new OrderLogDamagedError(`order ${sequence} in the order log goes on from other orders`);
    }
  }

  /**
   * The first message of a position is kept as it is: most have but one order, and a large one is not copied once more.
   * Those that go on from it are kept in a buffer that grows, so that each is garbage as soon as it was sent.
   */
  #keep(sequence: number, { base, added }: Delta, list: Buffer): void {
    const known = this.#lists.get(base.sequence);
    const bytes = list.length;
    this.#drop(base.sequence);
    this.#drop(sequence);
    // None goes on from nothing.
    if (bytes === 0) return;
    let buffer = known?.bytes === base.bytes ? known.buffer : undefined;
    if (base.bytes === 0) buffer = list;
    else if (buffer === undefined || buffer.length < bytes) {
      buffer = Buffer.allocUnsafeSlow(bytes + (bytes >> 2));
      list.copy(buffer);
    } else added.copy(buffer, base.bytes);
    this.#lists.set(sequence, { buffer, bytes });
    this.#cachedBytes += buffer.buffer.byteLength;
    for (const oldest of this.#lists.keys()) {
      if (this.#cachedBytes <= CACHED_BYTES) return;
      this.#drop(oldest);
    }
  }

  #drop(sequence: number): void {
    const list = this.#lists.get(sequence);
    if (list === undefined) return;
    this.#lists.delete(sequence);
    this.#cachedBytes -= list.buffer.buffer.byteLength;
  }
}
