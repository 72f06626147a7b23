import { NetworkReplica, PtnStreamClient } from '@ptn-api/client';
import type { PtnReplicaOptions, ReceivedOrder, StreamState } from '@ptn-api/client';

export interface StreamObserver {
  readonly onOrders: (orders: readonly ReceivedOrder[], clockOffsetMs: number) => void;
  readonly onState: (state: StreamState) => void;
}

/** A replica that shows what its stream brings: the tape and the positions need one connection, not two. */
export class ObservedReplica extends NetworkReplica {
  constructor(options: PtnReplicaOptions, observer: StreamObserver) {
    super(options, (wishes) => {
      const client = new PtnStreamClient({
        ...wishes,
        onOrders: (orders) => {
          wishes.onOrders(orders);
          observer.onOrders(orders, client.clockOffsetMs);
        },
        onState: observer.onState,
      });
      return client;
    });
  }
}
