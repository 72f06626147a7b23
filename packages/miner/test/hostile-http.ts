import {
  JSON_TYPE,
  LINE,
  NOT_ALLOWED,
  NOT_FOUND,
  OK,
  WRONG_KEY,
  BAD_REQUEST,
  raw,
  request,
  signal,
} from './hostile-row.ts';
import type { HostileRow } from './hostile-row.ts';

const PATH = '/api/receive-signal';
const good = signal({});
const bad = signal({ api_key: 'x' });
const LENGTH = `content-length: ${good.length}`;
const NO_HTTP = [400, '{"error":"Bad request"}'] as const;

const LONG_HEADERS = [431, '{"error":"Request headers are larger than 16 KB"}'] as const;

const METHODS: readonly HostileRow[] = [
  ['GET', request('', { line: `GET ${PATH} HTTP/1.1` }), NOT_ALLOWED],
  ['HEAD', request('', { line: `HEAD ${PATH} HTTP/1.1` }), [405, '']],
  ['OPTIONS', request('', { line: `OPTIONS ${PATH} HTTP/1.1` }), [200, '']],
  ...['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'].map((method): HostileRow => [
    method,
    request(good, { line: `${method} ${PATH} HTTP/1.1` }),
    NOT_ALLOWED,
  ]),
  ['post', request(good, { line: `post ${PATH} HTTP/1.1` }), NO_HTTP],
  ['a method of its own', request(good, { line: `SEND ${PATH} HTTP/1.1` }), NO_HTTP],
  // The connection is closed.
  ['CONNECT', request('', { line: 'CONNECT miner:80 HTTP/1.1' })],
];

const PATHS: readonly HostileRow[] = [
  '/',
  '/api',
  `${PATH}/`,
  `/${PATH}`,
  '/api//receive-signal',
  '/API/RECEIVE-SIGNAL',
  `${PATH}%00`,
  '/api/%72eceive-signal',
  '/api/x/../receive-signal',
  '/%',
  '/%ff',
  '*',
  `/${'a'.repeat(8000)}`,
  '/mining/miner_secrets.json',
].map((path) => [`path ${path.slice(0, 40)}`, request(good, { line: `POST ${path} HTTP/1.1` }), NOT_FOUND]);

const MALFORMED: readonly HostileRow[] = [
  ['no request', 'hello\r\n\r\n', NO_HTTP],
  ['a greeting of TLS', Buffer.from('16030100c8010000c40303', 'hex'), NO_HTTP],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', NO_HTTP],
  ['HTTP/0.9', `GET ${PATH}\r\n\r\n`, NOT_ALLOWED],
  ['HTTP/9.9', raw(`POST ${PATH} HTTP/9.9`, 'host: miner', JSON_TYPE, LENGTH, '', good), NO_HTTP],
  ['HTTP/1.0 without host', raw(`POST ${PATH} HTTP/1.0`, JSON_TYPE, LENGTH, '', good), OK],
  ['no host', raw(LINE, JSON_TYPE, LENGTH, 'connection: close', '', good), [400, '']],
  ['two hosts', request(good, { headers: ['host: other'] }), OK],
  ['a header without a colon', request(good, { headers: ['nothing'] }), NO_HTTP],
  ['a blank before the colon', request(good, { headers: ['x : y'] }), NO_HTTP],
  ['a folded header', request(good, { headers: ['x: y', ' z'] }), NO_HTTP],
  ['a zero in a header', request(good, { headers: ['x: a\0b'] }), NO_HTTP],
  ['a bare line feed', request(good, { headers: ['x: a\nhost: b'] }), NO_HTTP],
  ['a length below zero', raw(LINE, 'host: m', JSON_TYPE, 'content-length: -1', '', good), NO_HTTP],
  ['a length of letters', raw(LINE, 'host: m', JSON_TYPE, 'content-length: x', '', good), NO_HTTP],
  [
    'a length beyond all',
    raw(LINE, 'host: m', JSON_TYPE, `content-length: ${'9'.repeat(30)}`, '', good),
    NO_HTTP,
  ],
  ['two lengths', request(good, { headers: ['content-length: 5'] }), NO_HTTP],
  ['a length and chunks', request(good, { headers: ['transfer-encoding: chunked'] }), NO_HTTP],
  ['an unknown coding', raw(LINE, 'host: m', JSON_TYPE, 'transfer-encoding: x', '', good), NO_HTTP],
  [
    'chunks, then another coding',
    raw(LINE, 'host: m', JSON_TYPE, 'transfer-encoding: chunked, gzip', '', good),
    NO_HTTP,
  ],
  [
    'a chunk of no size',
    raw(LINE, 'host: m', JSON_TYPE, 'transfer-encoding: chunked', '', 'x', good),
    NO_HTTP,
  ],
  [
    'a chunk of 2^68 bytes',
    raw(LINE, 'host: m', JSON_TYPE, 'transfer-encoding: chunked', '', 'f'.repeat(17), good),
    NO_HTTP,
  ],
  ['20 KB of a header', request(good, { headers: [`x: ${'y'.repeat(20_000)}`] }), LONG_HEADERS],
  [
    '3,000 headers',
    request(good, { headers: Array.from({ length: 3000 }, (_, index) => `x${index}: y`) }),
    LONG_HEADERS,
  ],
  [
    'good chunks',
    raw(
      LINE,
      'host: m',
      JSON_TYPE,
      'connection: close',
      'transfer-encoding: chunked',
      '',
      good.length.toString(16),
      good,
      '0',
      '',
      '',
    ),
    OK,
  ],
  [
    'chunks with extensions',
    raw(
      LINE,
      'host: m',
      JSON_TYPE,
      'connection: close',
      'transfer-encoding: chunked',
      '',
      `${good.length.toString(16)};x="y"`,
      good,
      '0',
      '',
      '',
    ),
    OK,
  ],
  ['an expectation', request(good, { headers: ['expect: 100-continue'] }), [100, ''], OK],
  ['an unknown expectation', request(good, { headers: ['expect: wonders'] }), [417, '']],
  ['an upgrade to WebSocket', request(good, { headers: ['upgrade: websocket', 'sec-websocket-key: x'] }), OK],
  ['an upgrade to HTTP/2', request(good, { headers: ['upgrade: h2c'] }), OK],
];

/** On a connection that goes on. */
const plain = (body: string): Buffer => request(body, { isLast: false });

const PIPELINES: readonly HostileRow[] = [
  ['two signals in one go', Buffer.concat([plain(good), request(good)]), OK, OK],
  ['a bad one between two', Buffer.concat([plain(good), plain(bad), request(good)]), OK, WRONG_KEY, OK],
  [
    '50 bad ones',
    Buffer.concat([...Array.from({ length: 49 }, () => plain(bad)), request(bad)]),
    ...Array.from({ length: 50 }, () => WRONG_KEY),
  ],
  ['a request in the body of another', request(request(good).toString()), BAD_REQUEST],
  [
    'a request behind too short a length',
    raw(LINE, 'host: m', JSON_TYPE, 'content-length: 2', '', `{}${request(good).toString()}`),
    [401, '{"error":"Missing or invalid Authorization header"}\n'],
    OK,
  ],
];

/** The nonsense is answered at once; what came before is taken all the same. */
export const NONSENSE_BEHIND_A_SIGNAL = Buffer.concat([plain(good), Buffer.from('nonsense\r\n\r\n')]);

export const HTTP_ROWS = [...METHODS, ...PATHS, ...MALFORMED, ...PIPELINES];
