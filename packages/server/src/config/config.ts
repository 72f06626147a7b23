export type PositionsSource = 'auto' | 'tree' | 'outputs';
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** The whole configuration of a running server, resolved: paths absolute, defaults filled in. */
export interface ServerConfig {
  /** Address both ports listen on. */
  readonly host: string;
  /** 0 lets the system choose; the ready line says which. */
  readonly restPort: number;
  readonly wsPort: number;
  readonly netuid: 8 | 116;
  /** The validator's checkout. */
  readonly ptnRoot: string;
  /** Where the key file may lie, the preferred place first; there may be none yet. */
  readonly apiKeysPaths: readonly [string, ...string[]];
  readonly stateDir: string;
  readonly restWorkers: number;
  readonly positionsSource: PositionsSource;
  readonly logLevel: LogLevel;
  /** How changes of the tree are found: `auto` uses inotify and a sweep, `poll` the sweep alone. */
  readonly watch: 'auto' | 'poll';
  readonly version: string;
}
