/** How an error of the table below is worded for its reader. */
export interface ErrorDefinition {
  /** HTTP status of the answer, where the error is answered over REST. */
  readonly httpStatus?: number;
  /**
   * WebSocket close code, where the error ends a stream: after 4000 to 4499 connecting again may help, after 4500 to
   * 4999 it does not.
   */
  readonly closeCode?: number;
  /** Exit code of the process, where the error ends it. */
  readonly exitCode?: number;
  /** The text, with `{name}` for what is filled in. */
  readonly text: string;
}

/**
 * Every error that this server reports to its clients or its operator, by code. The texts of the REST answers are relied on by
 * existing clients: do not change them. docs/errors.md holds one row for each entry and a test compares the two.
 */
export const ERRORS = {
  PTN_ERR_AUTH_UNAUTHORIZED: { httpStatus: 401, text: 'Unauthorized access' },
  PTN_ERR_POSITIONS_BAD_TIER: {
    httpStatus: 400,
    text: 'Invalid tier value. Allowed values are 0, 30, 50, or 100',
  },
  PTN_ERR_POSITIONS_TIER_ACCESS: {
    httpStatus: 403,
    text: 'Your API key does not have access to tier {tier} data',
  },
  PTN_ERR_POSITIONS_NOT_FOUND: { httpStatus: 404, text: 'Data not found' },
  PTN_ERR_POSITIONS_NO_HOTKEYS: { httpStatus: 404, text: 'No miner hotkeys found' },
  PTN_ERR_POSITIONS_BAD_SINCE: {
    httpStatus: 400,
    text: 'Invalid since value. It is the X-Generation header of an earlier positions answer',
  },
  PTN_ERR_POSITIONS_GENERATION_GONE: {
    httpStatus: 410,
    text: 'Generation {since} is too old or unknown. Read the full snapshot at /miner-positions?tier={tier} and go on from its X-Generation',
  },
  PTN_ERR_MINER_NOT_FOUND: { httpStatus: 404, text: 'Miner ID {hotkey} not found' },
  PTN_ERR_STATISTICS_NOT_FOUND: { httpStatus: 404, text: 'Statistics data not found' },
  PTN_ERR_STATISTICS_NO_DATA: { httpStatus: 404, text: 'No data found' },
  PTN_ERR_ELIMINATIONS_NOT_FOUND: { httpStatus: 404, text: 'Eliminations data not found' },
  PTN_ERR_CHECKPOINT_TIER_ACCESS: {
    httpStatus: 403,
    text: 'Validator checkpoint data requires tier 100 access',
  },
  PTN_ERR_CHECKPOINT_NOT_FOUND: { httpStatus: 404, text: 'Checkpoint data not found' },
  PTN_ERR_COPYING_NOT_FOUND: { httpStatus: 404, text: 'Miner copying data not found' },
  PTN_ERR_FILE_NOT_FOUND: { httpStatus: 404, text: 'The validator has written no file for {route} yet' },
  PTN_ERR_FILE_TIER_ACCESS: { httpStatus: 403, text: '{route} requires a higher tier than that of this key' },
  PTN_ERR_LEDGER_DEBT_NOT_FOUND: { httpStatus: 404, text: 'Debt ledger data not found' },
  PTN_ERR_LEDGER_EMISSIONS_NOT_FOUND: { httpStatus: 404, text: 'Emissions ledger data not found' },
  PTN_ERR_LEDGER_PENALTY_NOT_FOUND: { httpStatus: 404, text: 'Penalty ledger data not found' },
  PTN_ERR_LEDGER_PERF_NOT_FOUND: {
    httpStatus: 404,
    text: 'Perf ledger data not found for miner {hotkey}',
  },
  PTN_ERR_ENTITY_NOT_FOUND: { httpStatus: 404, text: 'Entity {hotkey} not found' },
  PTN_ERR_LIMIT_ORDERS_NOT_FOUND: { httpStatus: 404, text: 'No limit orders found for miner {hotkey}' },
  PTN_ERR_MINER_ORDERS_NOT_FOUND: { httpStatus: 404, text: 'No orders found for miner {hotkey}' },
  PTN_ERR_ORDERS_BAD_STATUS: {
    httpStatus: 400,
    text: 'Invalid status values: {values}. Valid values are: unfilled, filled, cancelled',
  },
  PTN_ERR_DEVELOPMENT_TIER_ACCESS: {
    httpStatus: 403,
    text: 'Development order endpoint requires tier 200 access',
  },
  PTN_ERR_FORWARD_OFF: {
    httpStatus: 501,
    text: "Only the validator's own server can answer {route}. Ask it, or start this server with --forward-to and its address",
  },
  PTN_ERR_FORWARD_UNREACHABLE: {
    httpStatus: 502,
    text: "The validator's own server, which answers this route, cannot be reached. Try again later",
  },
  PTN_ERR_FORWARD_BAD_ANSWER: {
    httpStatus: 502,
    text: "The validator's own server, which answers this route, sent {problem}",
  },
  PTN_ERR_FORWARD_TIMEOUT: {
    httpStatus: 504,
    text: "The validator's own server, which answers this route, did not answer within {seconds} s. What was asked of it may still be done",
  },
  PTN_ERR_ORDERS_TIER_ACCESS: { httpStatus: 403, text: 'Order data requires tier 100 access' },
  PTN_ERR_ORDERS_BAD_RANGE: {
    httpStatus: 400,
    text: 'Invalid range. since is the sequence number of the last order you have (0 for all), limit is 1 to 1000',
  },
  PTN_ERR_ORDERS_UNAVAILABLE: {
    httpStatus: 503,
    text: 'The order log is not open yet, try again in a few seconds',
  },
  PTN_ERR_HTTP_NOT_FOUND: { httpStatus: 404, text: 'Resource not found' },
  PTN_ERR_HTTP_METHOD: { httpStatus: 405, text: 'Method not allowed' },
  PTN_ERR_HTTP_BODY_TOO_LARGE: { httpStatus: 413, text: 'Request body is larger than 256 KB' },
  PTN_ERR_HTTP_BAD_REQUEST: { httpStatus: 400, text: 'Bad request' },
  PTN_ERR_HTTP_HEADERS: { httpStatus: 400, text: 'The request has {problem}' },
  PTN_ERR_HTTP_TIMEOUT: { httpStatus: 408, text: 'The request took too long to arrive' },
  PTN_ERR_HTTP_PRECONDITION: {
    httpStatus: 412,
    text: 'The data is not what If-Match or If-Unmodified-Since asks for',
  },
  PTN_ERR_HTTP_EXPECTATION: {
    httpStatus: 417,
    text: 'Unknown expectation. The only one that is met is Expect: 100-continue',
  },
  PTN_ERR_HTTP_HEADERS_TOO_LARGE: { httpStatus: 431, text: 'Request headers are larger than 16 KB' },
  PTN_ERR_HTTP_LOADING: { httpStatus: 503, text: 'Data is being loaded, try again in a few seconds' },
  PTN_ERR_DASHBOARD_NOT_BUILT: {
    httpStatus: 404,
    text: "The dashboard is not built: run npm run build in the server's folder and restart it",
  },
  PTN_ERR_RATE_LIMITED: {
    httpStatus: 429,
    text: 'This API key may make {limit} requests per minute. Try again in {seconds} s',
  },
  PTN_ERR_RATE_LIMITED_BYTES: {
    httpStatus: 429,
    text: 'This API key may be sent {limit} MB per minute. Try again in {seconds} s',
  },
  PTN_ERR_DOWNLOADS_OF_KEY: {
    httpStatus: 429,
    text: 'Too many large answers of this API key are under way. Read them to their end first',
  },
  PTN_ERR_AUTH_TOO_MANY_FAILURES: {
    httpStatus: 429,
    text: 'Too many failed authentications from this address. Try again in {seconds} s',
  },
  PTN_ERR_HTTP_UNAUTHENTICATED_LIMIT: {
    httpStatus: 429,
    text: 'Too many requests without a key from this address. Try again in {seconds} s',
  },
  PTN_ERR_HTTP_OVERLOADED: { httpStatus: 503, text: 'The server is busy, try again in a few seconds' },
  PTN_ERR_HTTP_INTERNAL: { httpStatus: 500, text: 'Internal server error' },

  PTN_ERR_WS_UPGRADE: { httpStatus: 426, text: 'This port speaks WebSocket only' },
  PTN_ERR_WS_ORIGIN: { httpStatus: 403, text: 'Pages of this origin may not open a stream' },
  PTN_ERR_WS_AUTH_TIMEOUT: {
    closeCode: 4001,
    text: 'No authentication within {seconds} s. Send {"api_key": "<key>"} as the first message',
  },
  PTN_ERR_WS_AUTH_TOO_MANY_FAILURES: {
    closeCode: 4010,
    text: 'Too many failed authentications from this address. Try again in {seconds} s',
  },
  PTN_ERR_WS_TOO_SLOW: { closeCode: 4008, text: 'Nothing was read for {seconds} s' },
  PTN_ERR_WS_LOG_REPLACED: {
    closeCode: 4009,
    text: 'The order log was replaced by another: connect again to go on from it',
  },
  PTN_ERR_WS_AUTH_REQUIRED: { closeCode: 4500, text: 'Authentication required. Please provide an API key.' },
  PTN_ERR_WS_AUTH_HEADER: {
    closeCode: 4500,
    text: 'Authentication required. Provide API key in Authorization: Bearer header.',
  },
  PTN_ERR_WS_AUTH_NOT_OBJECT: {
    closeCode: 4500,
    text: 'Authentication required. Please provide an API key.',
  },
  PTN_ERR_WS_AUTH_NOT_JSON: {
    closeCode: 4500,
    text: 'The first message is not JSON. Send {"api_key": "<key>"}',
  },
  PTN_ERR_WS_AUTH_BAD_RESUME: {
    closeCode: 4500,
    text: 'Invalid {field} value. It is {expected}',
  },
  PTN_ERR_WS_AUTH_INVALID: { closeCode: 4501, text: 'Invalid API key. Authentication failed.' },
  PTN_ERR_WS_TIER_ACCESS: {
    closeCode: 4502,
    text: 'WebSocket connections require tier 100 access. Please upgrade your API key.',
  },
  PTN_ERR_WS_KEY_REVOKED: { closeCode: 4503, text: 'This API key was removed or has expired' },
  PTN_ERR_WS_MAX_CONNECTIONS: {
    closeCode: 4504,
    text: 'Disconnected due to too many connections for this API key',
  },
  PTN_ERR_WS_CROWDED: {
    closeCode: 4505,
    text:
      'Programs with this API key evict each other: it has more connections than its limit. ' +
      'Close some of them; a new one may be opened in {seconds} s',
  },
  PTN_ERR_WS_TOO_LARGE: { closeCode: 1009, text: 'Message is larger than {limit} bytes' },
  PTN_ERR_WS_BAD_JSON: { text: 'The message is not JSON' },
  PTN_ERR_WS_NOT_OBJECT: { text: 'The message is not a JSON object' },
  PTN_ERR_WS_UNKNOWN_TYPE: {
    text: 'Unknown message type. Known types are subscribe, unsubscribe and ping',
  },
  PTN_ERR_WS_NO_SUBACCOUNTS: {
    text: 'Subaccounts are not streamed by this server: their dashboards are known to the validator alone. Orders of a subaccount are in the stream under its hotkey: subscribe with "miner_hotkeys"',
  },
  PTN_ERR_WS_BAD_SUBSCRIBE: {
    text: 'Nothing to subscribe to. Send "all": true, or trade_pairs or miner_hotkeys',
  },
  PTN_ERR_WS_BAD_FILTER: {
    text: 'Invalid {field} value. It is a list of at least one text of 1 to 128 characters',
  },
  PTN_ERR_WS_BAD_UNSUBSCRIBE: { text: 'Nothing to unsubscribe from. Send "all": true' },

  PTN_ERR_CLI_USAGE: { exitCode: 2, text: '{detail}' },
  PTN_ERR_START_NO_ROOT: {
    exitCode: 3,
    text: 'No validator folder at {path}: {detail}. Start in the validator checkout or pass --ptn-root',
  },
  PTN_ERR_START_NO_KEYS: {
    exitCode: 4,
    text: 'No API key file at {path}: {detail}. Make it with ptn-api keys add <user> --tier 100 (api_keys.json.example shows its form), or pass --api-keys',
  },
  PTN_ERR_START_BAD_KEYS: {
    exitCode: 8,
    text: 'Cannot use the API key file {path}: {detail}. Correct it as api_keys.json.example shows or pass --api-keys',
  },
  PTN_ERR_START_PORT: {
    exitCode: 5,
    text: 'Cannot listen on {address}: {detail}. Stop what holds the port or choose another with {flag}',
  },
  PTN_ERR_START_STATE_DIR: {
    exitCode: 6,
    text: 'Cannot use the state directory {path}: {detail}. Make it writable or pass --state-dir',
  },
  PTN_ERR_START_LOG_FILE: {
    exitCode: 9,
    text: 'Cannot write the log file {path}: {detail}. Make its folder writable or pass another --log-file',
  },
  PTN_ERR_START_WORKER: {
    exitCode: 7,
    text: 'The {worker} worker did not start: {detail}',
  },
  PTN_ERR_KEYS_REFUSED: { exitCode: 1, text: '{detail}' },
  PTN_ERR_KEYS_WRITE: {
    exitCode: 1,
    text: 'Cannot write the API key file {path}: {detail}. Nothing was changed',
  },
  PTN_ERR_FAULT: { exitCode: 1, text: 'Unexpected fault: {detail}' },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * The text of an error with its `{name}`s filled in. A name without a value stays as it stands, so that a missing
 * value is seen and not hidden.
 */
export function errorText(code: ErrorCode, values: Readonly<Record<string, string | number>> = {}): string {
  const definition: ErrorDefinition = ERRORS[code];
  return definition.text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  );
}
