import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { keyDigest } from '@ptn-api/access';
import type { KeyGrant } from '@ptn-api/access';
import type { KeyTier } from '@ptn-api/protocol';
import { StreamKeys, StreamServer, UpgradeServer } from '@ptn-api/stream';
import type {
  ConnectionsTransaction,
  StreamLimits,
  StreamServerOptions,
  UpgradeLimits,
} from '@ptn-api/stream';
import { pino } from 'pino';
import type { TestScope } from '../test-scope.ts';
import { MemoryLog } from './memory-log.ts';
import { StreamClient } from './stream-client.ts';

export interface StreamOptions {
  /** `undefined`: there is none yet. */
  readonly log?: MemoryLog | undefined;
  readonly grants?: readonly KeyGrant[];
  readonly limits?: Partial<StreamLimits>;
  readonly failures?: StreamServerOptions['failures'];
  readonly upgradeLimits?: UpgradeLimits;
  readonly handshakeTimeoutMs?: number;
  readonly pid?: number;
  readonly publish?: (transaction: ConnectionsTransaction) => void;
  readonly now?: () => number;
}

export interface RunningStream {
  readonly port: number;
  readonly streams: StreamServer;
  readonly upgrades: UpgradeServer;
  readonly keys: StreamKeys;
  /** Lines of the server's log. */
  readonly logged: string[];
  /** Gives the server an order log, or another one. */
  readonly setLog: (log: MemoryLog) => void;
  /** An authenticated client; by default with `key-tier100`. */
  readonly client: (authentication?: object) => Promise<StreamClient>;
  /** A client that has said nothing. */
  readonly connect: (path?: string, headers?: Readonly<Record<string, string>>) => Promise<StreamClient>;
}

export const KEY = 'key-tier100';

export function grant(key: string, tier: KeyTier, more: Partial<KeyGrant> = {}): KeyGrant {
  return { sha256: keyDigest(key), userId: `user-${key}`, tier, ...more };
}

/** A stream server in this process, over a log in memory. */
export async function serveStream(scope: TestScope, options: StreamOptions = {}): Promise<RunningStream> {
  const keys = new StreamKeys();
  keys.replace(options.grants ?? [grant(KEY, 100)]);
  const logged: string[] = [];
  let reader = 'log' in options ? options.log : new MemoryLog();
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  const streams = new StreamServer({
    reader: () => reader,
    keys,
    log,
    pid: options.pid ?? 1,
    publish: options.publish ?? (() => undefined),
    ...(options.failures && { failures: options.failures }),
    ...(options.now && { now: options.now }),
    // The orders of tests are of 1970.
    limits: { legacyReplayMs: Infinity, ...options.limits },
  });
  const upgrades = await UpgradeServer.start(streams, log, options.upgradeLimits, options.handshakeTimeoutMs);
  // As the supervisor does: accepts connections without reading from them and hands them over.
  const acceptor = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    upgrades.accept(socket);
  });
  acceptor.listen(0, '127.0.0.1');
  await once(acceptor, 'listening');
  const { port } = acceptor.address() as AddressInfo;
  const clients: StreamClient[] = [];
  scope.teardown(async () => {
    for (const client of clients) client.socket.terminate();
    await streams.drain(1000);
    upgrades.close();
    acceptor.close();
  });
  const connect = async (path = '/', headers: Readonly<Record<string, string>> = {}) => {
    const client = new StreamClient(`ws://127.0.0.1:${port}${path}`, headers);
    clients.push(client);
    await once(client.socket, 'open');
    return client;
  };
  return {
    port,
    streams,
    upgrades,
    keys,
    logged,
    setLog: (log) => {
      reader = log;
      streams.ordersChanged();
    },
    connect,
    client: async (authentication = {}) => {
      const client = await connect();
      await client.ask({ api_key: KEY, ...authentication });
      return client;
    },
  };
}
