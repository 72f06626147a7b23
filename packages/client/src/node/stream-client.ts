import { NetworkReplica } from '../replica-client.ts';
import type { PtnReplicaOptions } from '../replica-client.ts';
import { StreamClient } from '../stream-client.ts';
import type { StreamClientOptions } from '../stream-options.ts';
import { openWsSocket } from './ws-socket.ts';

/** The stream client of a Node program. */
export class PtnStreamClient extends StreamClient {
  /** @throws TypeError or RangeError naming the option that cannot be used. */
  constructor(options: StreamClientOptions) {
    super(options, openWsSocket);
  }
}

/** The replica of a Node program. */
export class PtnReplica extends NetworkReplica {
  constructor(options: PtnReplicaOptions) {
    super(options, (streamOptions) => new PtnStreamClient(streamOptions));
  }
}
