import { MemoryCursorStore, PtnStreamClient } from '@ptn-api/client';
import type { ReceivedOrder, StreamClientOptions, StreamGap, StreamState } from '@ptn-api/client';
import { waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { ManualClock } from './manual-clock.ts';

export const apiKey = 'the-secret-key';

/** A stream client and everything it told. */
export interface Followed {
  readonly client: PtnStreamClient;
  readonly clock: ManualClock;
  readonly store: MemoryCursorStore;
  readonly orders: ReceivedOrder[];
  readonly gaps: StreamGap[];
  readonly errors: Error[];
  readonly states: StreamState[];
  sequences(): number[];
  /** Waits until so many orders were received. */
  received(count: number): Promise<void>;
  /** Waits until the client pauses before its next try, and gives for how long it does. */
  backoffMs(): Promise<number>;
}

export type FollowOptions = Partial<StreamClientOptions> & {
  readonly url: string;
  readonly store?: MemoryCursorStore;
  readonly Client?: typeof PtnStreamClient;
};

/** A client on a manual clock, with the longest backoff there is unless `random` says otherwise. */
export function follow(scope: TestScope, { Client = PtnStreamClient, ...options }: FollowOptions): Followed {
  const clock = new ManualClock();
  const { store = new MemoryCursorStore() } = options;
  const orders: ReceivedOrder[] = [];
  const gaps: StreamGap[] = [];
  const errors: Error[] = [];
  const states: StreamState[] = [];
  const client = new Client({
    apiKey,
    cursorStore: store,
    clock,
    random: () => 1,
    onOrders: (received) => {
      orders.push(...received);
    },
    onGap: (gap) => {
      gaps.push(gap);
    },
    onState: (state) => states.push(state),
    onError: (error) => errors.push(error),
    ...options,
  });
  scope.teardown(() => client.stop());
  const sequences = (): number[] => orders.map(({ sequence }) => sequence);
  return {
    client,
    clock,
    store,
    orders,
    gaps,
    errors,
    states,
    sequences,
    received: async (count) => {
      await waitFor(() => orders.length >= count, {
        what: () => `${count} orders; there are ${sequences().join()}; ${errors.join('; ')}`,
      });
    },
    backoffMs: async () => {
      await waitFor(() => client.state === 'waiting' && clock.delays.length === 1, {
        what: () => `the client waits; it is ${client.state}`,
      });
      return clock.delays[0] ?? Number.NaN;
    },
  };
}
