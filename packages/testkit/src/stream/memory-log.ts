import type { LoggedOrder, OrderLogReader, OrderLogState, OrderMessage } from '@ptn-api/order-log';

export interface OrderDraft {
  readonly hotkey?: string;
  readonly tradePairId?: string;
  readonly timestampMs?: number;
  /** JSON text of what stands under `data`. */
  readonly content?: string;
}

export class MemoryLog implements OrderLogReader {
  epoch = 'epoch-1';
  readonly #messages: OrderMessage[] = [];
  #last: number;
  /** Calls of `read` so far. */
  readCount = 0;

  constructor(last = 0) {
    this.#last = last;
  }

  append(...drafts: OrderDraft[]): void {
    for (const { hotkey = 'miner-a', tradePairId = 'BTCUSD', timestampMs = 1, content = '{}' } of drafts) {
      const sequence = (this.#last += 1);
      const bytes = Buffer.from(`{"sequence":${sequence},"timestamp":${timestampMs},"data":${content}}`);
      this.#messages.push({ sequence, hotkey, tradePairId, timestampMs, bytes });
    }
  }

  appendMany(count: number, draft: OrderDraft = {}): void {
    for (let order = 0; order < count; order++) this.append(draft);
  }

  /** Orders up to this one are no longer there. */
  prune(through: number): void {
    this.#messages.splice(0, this.#messages.filter(({ sequence }) => sequence <= through).length);
  }

  state(): OrderLogState {
    return {
      epoch: this.epoch,
      oldest: this.#messages[0]?.sequence ?? this.#last + 1,
      last: this.#last,
    };
  }

  read(after: number, limit: number): OrderMessage[] {
    this.readCount += 1;
    const oldest = this.state().oldest;
    const start = Math.max(0, after + 1 - oldest);
    return this.#messages.slice(start, start + limit);
  }

  readEach(sequences: Iterable<number>): OrderMessage[] {
    const wanted = new Set(sequences);
    return this.#messages.filter(({ sequence }) => wanted.has(sequence));
  }

  orders(after: number, limit: number): LoggedOrder[] {
    return this.read(after, limit).map(({ sequence, hotkey, tradePairId, timestampMs }) => ({
      sequence,
      hotkey,
      tradePairId,
      timestampMs,
      orderUuid: `order-${sequence}`,
    }));
  }

  before(sinceMs: number): number {
    const first = this.#messages.find(({ timestampMs }) => timestampMs >= sinceMs);
    return (first?.sequence ?? this.#last + 1) - 1;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
