import type {
  LoggedOrder,
  OrderEvent,
  OrderLogState,
  OrderLogWriter,
} from '../../order-log/dist/order-log.js';

/** An order log in memory, with what a test may want to look at or to break. */
export class MemoryOrderLog implements OrderLogWriter {
  readonly isNew: boolean;
  lastAliveMs: number | null;
  readonly appended: OrderEvent[] = [];
  readonly known = new Set<string>();
  /** While true, appends fail as on a full disk. */
  isFull = false;

  constructor(lastAliveMs: number | null = null) {
    this.isNew = lastAliveMs === null;
    this.lastAliveMs = lastAliveMs;
  }

  state(): OrderLogState {
    return { epoch: 'test', oldest: 1, last: this.appended.length };
  }

  isKnown(orderUuid: string): boolean {
    return this.known.has(orderUuid);
  }

  ordersSince(sinceMs: number): LoggedOrder[] {
    return this.appended
      .map((order, index) => ({ ...order, sequence: index + 1 }))
      .filter(({ timestampMs }) => timestampMs >= sinceMs)
      .reverse();
  }

  append(events: readonly OrderEvent[]): Promise<OrderLogState> {
    if (this.isFull) return Promise.reject(new Error('ENOSPC: no space left on device'));
    for (const event of events) {
      if (this.known.has(event.orderUuid)) continue;
      this.known.add(event.orderUuid);
      this.appended.push(event);
    }
    return Promise.resolve(this.state());
  }

  remember(orderUuids: readonly string[]): Promise<void> {
    for (const uuid of orderUuids) this.known.add(uuid);
    return Promise.resolve();
  }

  markAlive(nowMs: number): Promise<void> {
    this.lastAliveMs = nowMs;
    return Promise.resolve();
  }

  prune(): Promise<OrderLogState> {
    return Promise.resolve(this.state());
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
