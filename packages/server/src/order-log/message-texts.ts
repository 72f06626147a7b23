import { decodeDelta } from './deltas.ts';
import type { Delta } from './deltas.ts';
import type { Environment } from './environment.ts';
import { OrderLogDamagedError } from './errors.ts';
import type { OrderMessage } from './order-log.ts';
import { decodeMessage, deltaKey, envelope, messageKey, missing } from './records.ts';

/** Of messages whose orders the next ones are likely to go on from. */
const CACHED_BYTES = 8 * 2 ** 20;

/** Puts messages together from what the log holds of them. */
export class MessageTexts {
  /** The orders of messages, the one that was used last at the end. */
  readonly #lists = new Map<number, Buffer>();
  #cachedBytes = 0;

  clear(): void {
    this.#lists.clear();
    this.#cachedBytes = 0;
  }

  /** @throws OrderLogDamagedError when something is missing, or is not what was written. */
  read(environment: Environment, sequence: number): OrderMessage {
    const value = environment.getBinary(deltaKey(sequence));
    if (value !== undefined) return this.#join(environment, sequence, decodeDelta(sequence, value));
    const whole = environment.getBinary(messageKey(sequence));
    if (whole === undefined) throw missing(sequence);
    return decodeMessage(sequence, whole);
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
    this.#keep(sequence, bytes, list);
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
      if (known?.length === base.bytes) {
        known.copy(list);
        return;
      }
      const value = base.sequence < at ? environment.getBinary(deltaKey(base.sequence)) : undefined;
      if (value === undefined) throw missing(base.sequence);
      [at, delta] = [base.sequence, decodeDelta(base.sequence, value)];
      if (delta.listBytes !== base.bytes)
        throw new OrderLogDamagedError(`order ${sequence} in the order log goes on from other orders`);
    }
  }

  #keep(sequence: number, { length }: Buffer, list: Buffer): void {
    if (length > CACHED_BYTES) return;
    if (this.#lists.has(sequence)) return;
    this.#lists.set(sequence, list);
    this.#cachedBytes += length;
    for (const [oldest, { buffer }] of this.#lists) {
      if (this.#cachedBytes <= CACHED_BYTES) return;
      this.#lists.delete(oldest);
      this.#cachedBytes -= buffer.byteLength;
    }
  }
}
