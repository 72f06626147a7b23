import type { LogLevel, PositionsSource } from '@ptn-api/runtime';
import type { Options } from 'yargs';

/** One option of `ptn-api --serve`: what yargs knows of an option, and its environment variables. */
export interface OptionDefinition extends Pick<
  Options,
  'describe' | 'default' | 'choices' | 'array' | 'alias' | 'conflicts'
> {
  readonly env: string;
  /** A second variable, which the Python server reads. */
  readonly oldEnv?: string;
  readonly group: 'Server:' | 'Validator:' | 'Limits:' | 'Operation:';
  readonly describe: string;
  /** Defaults of paths depend on the folder and are worked out in places.ts. */
  readonly default?: string;
  /** May stand alone on the command line; else its value is `true`, `1`, `false` or `0`. */
  readonly isSwitch?: true;
}

const POSITIONS_SOURCES = ['auto', 'tree', 'outputs'] as const satisfies readonly PositionsSource[];
const LOG_LEVELS = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
] as const satisfies readonly LogLevel[];

/**
 * Every option of `ptn-api --serve`, by its name on the command line. The environment variable is `PTN_API_` and the
 * name in capitals with underscores, where an `api-` at its front is not repeated.
 */
export const OPTIONS = {
  serve: {
    env: 'PTN_API_SERVE',
    group: 'Server:',
    describe: 'Start the API server for REST and WebSocket endpoints',
    isSwitch: true,
  },
  'api-host': {
    env: 'PTN_API_HOST',
    group: 'Server:',
    describe: 'Host address for the API server; 0.0.0.0 makes it accessible from other machines',
    default: '127.0.0.1',
  },
  'api-rest-port': {
    env: 'PTN_API_REST_PORT',
    group: 'Server:',
    describe: 'Port for the REST API server; 0 lets the system choose',
    default: '48888',
  },
  'api-ws-port': {
    env: 'PTN_API_WS_PORT',
    group: 'Server:',
    describe: 'Port for the WebSocket server; 0 lets the system choose',
    default: '8765',
  },
  'api-keys': {
    env: 'PTN_API_KEYS',
    group: 'Server:',
    describe:
      'File of API keys, read again whenever it changes ' +
      '[default: vanta_api/api_keys.json in the validator folder, else ptn_api/api_keys.json]',
  },
  demo: {
    env: 'PTN_API_DEMO',
    group: 'Server:',
    describe: 'With --serve: serve a simulated validator from a temporary folder',
    isSwitch: true,
    // The demo makes its own.
    conflicts: ['ptn-root', 'api-keys'],
  },
  'ptn-root': {
    env: 'PTN_API_PTN_ROOT',
    group: 'Validator:',
    describe:
      "The validator's checkout [default: the current folder if it holds validation/, " +
      'else ../proprietary-trading-network, else ../vanta-network]',
  },
  'forward-to': {
    env: 'PTN_API_FORWARD_TO',
    group: 'Validator:',
    describe:
      "The validator's own server, such as http://127.0.0.1:48880, which is asked what only it can answer " +
      '(collateral, entities, trade pairs) [default: nobody is, and the answer is 501]',
  },
  'forward-timeout': {
    env: 'PTN_API_FORWARD_TIMEOUT',
    group: 'Validator:',
    describe: 'Seconds after which an answer of --forward-to is given up, 1 to 110',
    default: '60',
  },
  netuid: {
    env: 'PTN_API_NETUID',
    group: 'Validator:',
    describe: 'Subnet of the validator: 8 mainnet, 116 testnet',
    choices: ['8', '116'],
    default: '8',
  },
  'positions-source': {
    env: 'PTN_API_POSITIONS_SOURCE',
    group: 'Validator:',
    describe:
      'Where positions are read: tree (validation/miners), outputs (validation/outputs/output.json, ' +
      'else tiered_positions/100/output.json.gz beside it), ' +
      'or auto: the tree if it is there',
    choices: POSITIONS_SOURCES,
    default: 'auto',
  },
  watch: {
    env: 'PTN_API_WATCH',
    group: 'Operation:',
    describe: 'How changes are found: auto (notices of the system, and checks), or poll (checks alone)',
    choices: ['auto', 'poll'],
    default: 'auto',
  },
  'public-ws-url': {
    env: 'PTN_API_PUBLIC_WS_URL',
    group: 'Server:',
    describe:
      'Where browsers reach the WebSocket server, if not on its port of the same host: behind a proxy, ' +
      'such as wss://ptn.example.com/stream',
  },
  'rest-workers': {
    env: 'PTN_API_REST_WORKERS',
    group: 'Operation:',
    describe: 'Processes that answer REST requests, 1 to 16',
    default: '2',
  },
  'ws-workers': {
    env: 'PTN_API_WS_WORKERS',
    group: 'Operation:',
    describe: 'Processes that serve WebSocket connections, 1 to 16',
    default: '1',
  },
  'order-retention-days': {
    env: 'PTN_API_ORDER_RETENTION_DAYS',
    group: 'Operation:',
    describe: 'How long orders are kept for WebSocket clients that come back',
    default: '7',
  },
  'order-retention-count': {
    env: 'PTN_API_ORDER_RETENTION_COUNT',
    group: 'Operation:',
    describe: 'How many orders are kept for them at most',
    default: '1000000',
  },
  'order-retention-bytes': {
    env: 'PTN_API_ORDER_RETENTION_BYTES',
    group: 'Operation:',
    describe: 'How much room they take on disk at most, 67108864 (64 MiB) or more',
    default: '4294967296',
  },
  'legacy-replay-minutes': {
    env: 'PTN_API_LEGACY_REPLAY_MINUTES',
    group: 'Operation:',
    describe:
      'How far back orders are replayed to clients that send no epoch, as those of the Python server; 0: not',
    default: '15',
  },
  'admin-port': {
    env: 'PTN_API_ADMIN_PORT',
    group: 'Operation:',
    describe:
      'Port on 127.0.0.1 for /metrics, /status and the command status; 0 lets the system choose, off opens none',
    default: '48890',
  },
  'max-staleness': {
    env: 'PTN_API_MAX_STALENESS',
    group: 'Operation:',
    describe: 'Seconds without proof that the data is up to date after which /readyz answers 503',
    default: '180',
  },
  'rate-limit': {
    env: 'PTN_API_RATE_LIMIT',
    group: 'Limits:',
    describe: 'REST requests per minute and key, where the key file says nothing else; 0 for no limit',
    default: '600',
  },
  'auth-failure-limit': {
    env: 'PTN_API_AUTH_FAILURE_LIMIT',
    group: 'Limits:',
    describe: 'Failed authentications per minute and address, then the address is refused; 0 for no limit',
    default: '20',
  },
  'max-connections-per-address': {
    env: 'PTN_API_MAX_CONNECTIONS_PER_ADDRESS',
    group: 'Limits:',
    describe: 'Open connections per address, of each worker process; 0 for no limit',
    default: '200',
  },
  'max-unauthenticated': {
    env: 'PTN_API_MAX_UNAUTHENTICATED',
    group: 'Limits:',
    describe: 'Open connections without a key so far, of each worker process; above it the oldest is closed',
    default: '1000',
  },
  'trust-proxy': {
    env: 'PTN_API_TRUST_PROXY',
    group: 'Limits:',
    describe:
      "Proxies whose X-Forwarded-For holds the client's address: addresses, CIDR blocks, or loopback; repeatable",
    array: true,
  },
  'cors-origin': {
    env: 'PTN_API_CORS_ORIGIN',
    group: 'Limits:',
    describe:
      'Web sites whose pages may read from browsers, such as https://app.example.com, or * for all; repeatable',
    array: true,
  },
  'state-dir': {
    env: 'PTN_API_STATE_DIR',
    group: 'Operation:',
    describe:
      'Folder for what the server itself keeps, created if absent [default: .ptn-api in the validator folder]',
  },
  inspect: {
    env: 'PTN_API_INSPECT',
    group: 'Operation:',
    describe:
      'Let a debugger attach to each worker, on 127.0.0.1 from port 9230 on; they may stand still then',
    isSwitch: true,
  },
  'log-level': {
    env: 'PTN_API_LOG_LEVEL',
    group: 'Operation:',
    describe: 'Least level that is logged',
    choices: LOG_LEVELS,
    default: 'info',
  },
  'log-file': {
    env: 'PTN_API_LOG_FILE',
    group: 'Operation:',
    describe: 'Log to this file; full ones are kept beside it with numbers [default: standard output]',
  },
  'log-file-mb': {
    env: 'PTN_API_LOG_FILE_MB',
    group: 'Operation:',
    describe: 'Size of a log file at which the next one is begun',
    default: '50',
  },
  'log-file-count': {
    env: 'PTN_API_LOG_FILE_COUNT',
    group: 'Operation:',
    describe: 'How many log files are kept, 2 to 100',
    default: '10',
  },
  'alert-webhook-url': {
    env: 'PTN_API_ALERT_WEBHOOK_URL',
    group: 'Operation:',
    describe:
      'Alerts are posted there as {"text": "…"}, as Slack takes them; also as --slack-webhook-url or ' +
      'SLACK_WEBHOOK_URL. A secret: better given in the environment',
    alias: 'slack-webhook-url',
    oldEnv: 'SLACK_WEBHOOK_URL',
  },
} as const satisfies Readonly<Record<string, OptionDefinition>>;

export type OptionName = keyof typeof OPTIONS;

export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

type ValueOf<Row> =
  | (Row extends { choices: readonly (infer Choice)[] } ? Choice : string)
  | (Row extends { default: string } ? never : undefined);

/** The value of every option as text, from the command line, else the environment, else its default. */
export type OptionValues = {
  readonly [Name in OptionName]: (typeof OPTIONS)[Name] extends { isSwitch: true }
    ? true | undefined
    : ValueOf<(typeof OPTIONS)[Name]>;
};

/** How an error names an option. */
export function optionLabel(name: OptionName): string {
  return `--${name} (${OPTIONS[name].env})`;
}

/** A value as an error shows it; in quotes, so that a space or a line break in it is seen. */
export function quoted(value: string): string {
  return JSON.stringify(value);
}
