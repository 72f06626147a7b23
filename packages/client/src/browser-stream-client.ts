import { NetworkReplica } from './replica-client.ts';
import type { PtnReplicaOptions } from './replica-client.ts';
import { StreamClient } from './stream-client.ts';
import type { StreamClientOptions } from './stream-options.ts';
import { openBrowserSocket } from './stream-socket.ts';

/** The stream client of a browser page. */
export class PtnStreamClient extends StreamClient {
  /** @throws TypeError or RangeError naming the option that cannot be used. */
  constructor(options: StreamClientOptions) {
    super(options, openBrowserSocket);
  }
}

/** The replica of a browser page. */
export class PtnReplica extends NetworkReplica {
  constructor(options: PtnReplicaOptions) {
    super(options, (streamOptions) => new PtnStreamClient(streamOptions));
  }
}
