import {
  FAULT,
  GOOD,
  KEY,
  NO_JSON,
  NO_KEY,
  NOT_FOUND,
  OK,
  WRONG_KEY,
  JSON_TYPE,
  LINE,
  raw,
  request,
  signal,
} from './hostile-row.ts';
import type { HostileRow } from './hostile-row.ts';

const KEYLESS = { ...GOOD, api_key: undefined };
const keyless = JSON.stringify(KEYLESS);

/** The key is right, and not where it belongs. */
const MISPLACED_KEYS: readonly HostileRow[] = [
  ['key as bearer', request(keyless, { headers: [`authorization: Bearer ${KEY}`] }), NO_KEY],
  ['key as authorization', request(keyless, { headers: [`authorization: ${KEY}`] }), NO_KEY],
  [
    'key as basic',
    request(keyless, {
      headers: [`authorization: Basic ${Buffer.from(`${KEY}:${KEY}`).toString('base64')}`],
    }),
    NO_KEY,
  ],
  ['key in x-api-key', request(keyless, { headers: [`x-api-key: ${KEY}`] }), NO_KEY],
  ['key in api_key header', request(keyless, { headers: [`api_key: ${KEY}`] }), NO_KEY],
  ['key in a cookie', request(keyless, { headers: [`cookie: api_key=${KEY}`] }), NO_KEY],
  [
    'key in the query',
    request(keyless, { line: `POST /api/receive-signal?api_key=${KEY} HTTP/1.1` }),
    NO_KEY,
  ],
  ['key in the path', request(keyless, { line: `POST /api/receive-signal/${KEY} HTTP/1.1` }), NOT_FOUND],
  [
    'key as user of a whole address',
    request(keyless, { line: `POST http://${KEY}@miner/api/receive-signal HTTP/1.1` }),
    NOT_FOUND,
  ],
  ...[
    'API_KEY',
    'apikey',
    'apiKey',
    'api-key',
    ' api_key',
    'api_key ',
    'api_key\0',
    'api\u200b_key',
    '__proto__',
  ].map((name): HostileRow => [
    `key as ${JSON.stringify(name)}`,
    request(`{${JSON.stringify(name)}:"${KEY}",${keyless.slice(1)}`),
    NO_KEY,
  ]),
  ['key below a member', request(JSON.stringify({ signal: GOOD })), NO_KEY],
  ['key in the pair', request(JSON.stringify({ ...KEYLESS, trade_pair: GOOD })), NO_KEY],
  ['key in a list', request(JSON.stringify(['api_key', KEY])), FAULT],
  ['signal in a list', request(JSON.stringify([GOOD])), NO_KEY],
  ['signal as text', request(JSON.stringify(JSON.stringify(GOOD))), FAULT],
  ['key as prototype', request(`{"__proto__":{"api_key":"${KEY}"},${keyless.slice(1)}`), NO_KEY],
  [
    'key in a form',
    request(`api_key=${KEY}&trade_pair=BTCUSD&order_type=LONG&leverage=0.1`, {
      type: 'content-type: application/x-www-form-urlencoded',
    }),
    NO_JSON,
  ],
  [
    'key in a part',
    request(`--x\r\ncontent-disposition: form-data; name="api_key"\r\n\r\n${KEY}\r\n--x--`, {
      type: 'content-type: multipart/form-data; boundary=x',
    }),
    NO_JSON,
  ],
  [
    'key in a trailer',
    raw(
      LINE,
      'host: miner',
      JSON_TYPE,
      'connection: close',
      'transfer-encoding: chunked',
      'trailer: api_key',
      '',
      keyless.length.toString(16),
      keyless,
      '0',
      `api_key: ${KEY}`,
      '',
      '',
    ),
    NO_KEY,
  ],
];

const WRONG_KEYS: readonly HostileRow[] = [
  null,
  true,
  false,
  0,
  1,
  [],
  {},
  [KEY],
  { api_key: KEY },
  '',
  'x',
  KEY.slice(0, -1),
  KEY.slice(1),
  `${KEY}x`,
  ` ${KEY}`,
  `${KEY} `,
  `${KEY}\n`,
  `${KEY}\0`,
  KEY.toUpperCase(),
  KEY.replace('x', '\u0445'),
  `\ufeff${KEY}`,
  `${KEY}\u200b`,
  `Bearer ${KEY}`,
  '*',
  "' OR '1'='1",
  '$ne',
  '\ud800',
  KEY.repeat(2000),
].map((key) => [`key ${JSON.stringify(key).slice(0, 60)}`, request(signal({ api_key: key })), WRONG_KEY]);

const ENDLESS_KEY: HostileRow = [
  'an endless key',
  request(signal({ api_key: 0 }).replace('"api_key":0', '"api_key":1e999')),
  WRONG_KEY,
];

/** Of which the last counts, as in Python. */
const TWO_KEYS: readonly HostileRow[] = [
  [
    'right key, then a wrong one',
    request(`{"api_key":"${KEY}",${signal({ api_key: 'x' }).slice(1)}`),
    WRONG_KEY,
  ],
  ['wrong key, then the right one', request(`{"api_key":"x",${signal({}).slice(1)}`), OK],
];

export const KEY_ROWS = [...MISPLACED_KEYS, ...WRONG_KEYS, ENDLESS_KEY, ...TWO_KEYS];
