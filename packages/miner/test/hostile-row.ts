export const KEY = 'xxxx-that-no-log-may-show';
export const GOOD = { trade_pair: 'BTCUSD', order_type: 'LONG', leverage: 0.1, api_key: KEY };

/** A request as bytes, and its answers: status and body, one for each answer on the connection. */
export type HostileRow = readonly [
  name: string,
  bytes: string | Buffer,
  ...answers: (readonly [status: number, body: string | RegExp])[],
];

export const LINE = 'POST /api/receive-signal HTTP/1.1';
export const JSON_TYPE = 'content-type: application/json';

/** Bytes of a request; its connection ends with the answer. */
export function request(
  body: string | Buffer,
  { line = LINE, type = JSON_TYPE, headers = [] as readonly string[], isLast = true } = {},
): Buffer {
  const head = [
    line,
    'host: miner',
    ...(isLast ? ['connection: close'] : []),
    ...(type === '' ? [] : [type]),
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(body)]);
}

/** A request without a length of its own. */
export function raw(...lines: readonly string[]): string {
  return lines.join('\r\n');
}

export const signal = (changes: object): string => JSON.stringify({ ...GOOD, ...changes });

const page = (status: string, text: string): string =>
  `<!doctype html>\n<html lang=en>\n<title>${status}</title>\n<h1>${status.slice(4)}</h1>\n<p>${text}</p>\n`;
export const BAD_REQUEST = [
  400,
  page('400 Bad Request', 'The browser (or proxy) sent a request that this server could not understand.'),
] as const;
export const NOT_FOUND = [
  404,
  page(
    '404 Not Found',
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
  ),
] as const;
export const NOT_ALLOWED = [
  405,
  page('405 Method Not Allowed', 'The method is not allowed for the requested URL.'),
] as const;
export const FAULT = [
  500,
  page(
    '500 Internal Server Error',
    'The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.',
  ),
] as const;
export const error = (status: number, text: string) =>
  [status, `${JSON.stringify({ error: text })}\n`] as const;
export const NO_KEY = error(401, 'Missing or invalid Authorization header');
export const WRONG_KEY = error(401, 'Invalid API key');
export const NO_JSON = error(400, 'Request must be JSON');
export const TOO_LARGE = error(413, 'A signal may have 65536 bytes');
export const OK = [200, /^{"message":"Signal {'trade_pair': .* received successfully"}\n$/] as const;
export const misformed = (text: string) => error(400, `improperly formatted signal received. ${text}`);
export const unstored = (text: string) => error(400, `error storing signal on miner. ${text}`);
export const UNKNOWN_PAIR = [
  400,
  /^{"error":"improperly formatted signal received\. 1 validation error for Signal\\ntrade_pair\\n {2}Input should be \['BTCUSD', /,
] as const;
