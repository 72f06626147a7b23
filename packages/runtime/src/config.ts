export type PositionsSource = 'auto' | 'tree' | 'outputs';
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LogFileConfig {
  /** Absolute; the file in use has a number before its extension. */
  readonly path: string;
  /** A file that has reached this size is followed by the next. */
  readonly sizeBytes: number;
  /** How many files are kept, the one in use among them. */
  readonly count: number;
}

/** What unauthenticated clients and customers may ask of the server. 0 is no limit where it says so. */
export interface ServerLimits {
  /** REST requests per minute of one user, where the key file says nothing else; or 0. */
  readonly requestsPerMinute: number;
  /** Failed authentications per minute of one address; or 0. */
  readonly authFailuresPerMinute: number;
  /** Open connections of one address, in each worker; or 0. */
  readonly connectionsPerAddress: number;
  /** Open connections without a key so far, in each worker. */
  readonly unauthenticated: number;
  /** Proxies that are believed: addresses, CIDR blocks, `loopback`. */
  readonly trustedProxies: readonly string[];
  /** Origins of pages that may read in browsers; `*` is any, none: no cross-site reading. */
  readonly corsOrigins: readonly string[];
}

/** The whole configuration of a running server, resolved: paths absolute, defaults filled in. */
export interface ServerConfig {
  /** Address both ports listen on. */
  readonly host: string;
  /** 0 lets the system choose; the ready line says which. */
  readonly restPort: number;
  readonly wsPort: number;
  /** Loopback port of `/metrics` and `/status`; 0 lets the system choose, `null` opens none. */
  readonly adminPort: number | null;
  /** Where browsers reach the WebSocket server; absent: on {@link wsPort} of the host they have the page from. */
  readonly publicWsUrl?: string;
  /** The validator's own server, which is asked what only it can answer; absent: nobody is. */
  readonly forward?: { readonly origin: string; readonly timeoutMs: number };
  readonly netuid: 8 | 116;
  /** The validator's checkout. */
  readonly ptnRoot: string;
  /** Where the key file may lie, the preferred place first; there may be none yet. */
  readonly apiKeysPaths: readonly [string, ...string[]];
  readonly stateDir: string;
  readonly restWorkers: number;
  readonly wsWorkers: number;
  readonly positionsSource: PositionsSource;
  /** An order may be dropped from the order log once it is older than this. */
  readonly orderRetentionMs: number;
  /** The maximum number of orders in the order log. */
  readonly orderRetentionCount: number;
  /** The order log takes this much of the disk at most. */
  readonly orderRetentionBytes: number;
  /** To clients that send no `epoch`, orders are replayed that became available within this time; 0 is none. */
  readonly legacyReplayMs: number;
  /** `/readyz` fails when the feed has not proved for this time that what is served is up to date. */
  readonly maxStalenessMs: number;
  readonly limits: ServerLimits;
  readonly logLevel: LogLevel;
  /** Where the log goes instead of stdout. */
  readonly logFile?: LogFileConfig;
  /** Alerts are posted there. A secret: never logged, and not sent to the workers. */
  readonly alertWebhookUrl?: string;
  /** How changes of the tree are found: `auto` uses inotify and a sweep, `poll` the sweep alone. */
  readonly watch: 'auto' | 'poll';
  /**
   * Whether this server is started to take over from one that runs, as `pm2 reload` does: what only one may hold, it
   * waits for.
   */
  readonly isTakeover: boolean;
  /** Whether a debugger may be attached to each worker, which then may stand still. */
  readonly inspect: boolean;
  readonly version: string;
}
