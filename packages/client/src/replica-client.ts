import { asError } from './replica-parts.ts';
import type { ReplicaSettings, ReplicaStream, ReplicaStreamWishes } from './replica-parts.ts';
import type { StreamedPosition } from './replica-state.ts';
import { Replica } from './replica.ts';
import { PtnRestClient } from './rest-client.ts';

export interface PtnReplicaOptions extends ReplicaSettings {
  /** Of tier 100. */
  readonly apiKey: string;
  /** Where the stream is: `ws://127.0.0.1:8765`. */
  readonly url: string;
  /** Where REST answers; a path in it stands before every route: `https://host/api`. */
  readonly restUrl: string;
  /** For a REST answer as a whole. 30 s by default. */
  readonly timeoutMs?: number;
}

/** What a replica gives to its stream client. */
export interface ReplicaStreamOptions {
  readonly apiKey: string;
  readonly url: string;
  readonly restUrl: string;
  readonly start: ReplicaStreamWishes['start'];
  readonly onOrders: (orders: readonly StreamedPosition[]) => void;
  readonly onGap: () => void;
  readonly onError: (error: unknown) => void;
}

/** A stream client as a replica uses it. */
export interface ReplicaStreamClient extends ReplicaStream {
  /** Resolves when it has ended, by itself or by `stop`; to the error, where it ended by one. */
  readonly finished: Promise<unknown>;
}

/**
 * A replica over the network. How a stream client is made is left to the entry of the package: Node and browsers have
 * different sockets, and the replica must not bring those of one to the other.
 */
export class NetworkReplica extends Replica {
  constructor(
    { apiKey, url, restUrl, timeoutMs, ...settings }: PtnReplicaOptions,
    createStreamClient: (options: ReplicaStreamOptions) => ReplicaStreamClient,
  ) {
    super({
      ...settings,
      rest: new PtnRestClient({ apiKey, url: restUrl, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
      createStream: ({ onEnd, onError, ...wishes }) => {
        const report = (error: unknown): void => {
          onError(asError(error));
        };
        const client = createStreamClient({ apiKey, url, restUrl, ...wishes, onError: report });
        void client.finished.then(
          (reason) => {
            onEnd(reason instanceof Error ? reason : new Error('the stream has ended', { cause: reason }));
          },
          (error: unknown) => {
            onEnd(asError(error));
          },
        );
        return client;
      },
    });
  }
}
