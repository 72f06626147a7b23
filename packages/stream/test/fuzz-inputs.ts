/** What may come in on the two ports: for tests of a few seconds, and for the bench that goes on for minutes. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';

/** The key that {@link FUZZ_KEYS} names; so that what is behind authentication is reached, too. */
export const FUZZ_KEY = 'key-fuzz-100';
/** One of the fixtures'. */
const MINER = '5xzerPELFiNsTE3t9xAEinKXUNd55MMbXANAdjjdxTrKt58T';
export const FUZZ_KEYS = { fuzz: { key: FUZZ_KEY, tier: 100, max_connections: 1000 } };

// --- by hand --------------------------------------------------------------------------------------------------------

export interface FrameOptions {
  readonly fin?: boolean;
  /** The three reserved bits. */
  readonly rsv?: number;
  readonly masked?: boolean;
}

/** A WebSocket frame of a client, well-formed unless told otherwise. */
export function frame(opcode: number, payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, masked = true } = options;
  const bytes = Buffer.from(payload);
  const size = bytes.length;
  const length = Buffer.alloc(size < 126 ? 1 : size < 65_536 ? 3 : 9);
  if (size < 126) length[0] = size;
  else if (size < 65_536) length.writeUInt16BE(size, 1);
  else length.writeBigUInt64BE(BigInt(size), 1);
  if (size >= 126) length[0] = size < 65_536 ? 126 : 127;
  if (masked) length[0] = (length[0] ?? 0) | 0x80;
  const mask = masked ? randomBytes(4) : Buffer.alloc(0);
  const body = masked ? bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0)) : bytes;
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]), length, mask, body]);
}

/** The opening handshake of a client, with more headers, each with its line break. */
export function upgradeRequest(headers = '', path = '/'): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${headers}\r\n`
  );
}

// --- mutations ------------------------------------------------------------------------------------------------------

type Mutation = (bytes: Buffer) => Buffer;

/** What may stand anywhere in a transcript and mean something. */
const TOKENS = [
  ...[
    '\r\n',
    '\r',
    '\n',
    '\r\n\r\n',
    '\0',
    ' ',
    '\t',
    ':',
    ';',
    '?',
    '#',
    '%',
    '%00',
    '%2e%2e',
    '..',
    '\\',
    '//',
  ],
  ...['HTTP/1.0', 'HTTP/9.9', 'chunked', 'Transfer-Encoding: chunked\r\n', 'Content-Length: 5\r\n'],
  ...[
    'Expect: 100-continue\r\n',
    'Connection: close\r\n',
    'Upgrade: h2c\r\n',
    'Host: other\r\n',
    '-1',
    '0x10',
  ],
  ...[
    '9999999999999999999',
    '{',
    '}',
    '[',
    '"',
    '\\u0000',
    '__proto__',
    'null',
    'NaN',
    '\xc0\xae',
    '\xff',
    '\u20ac',
  ],
];

function mutation(): fc.Arbitrary<Mutation> {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const at = (bytes: Buffer, part: number) => Math.floor(part * bytes.length);
  const splice = (bytes: Buffer, begin: number, end: number, put: Uint8Array) =>
    Buffer.concat([bytes.subarray(0, begin), put, bytes.subarray(Math.max(begin, end))]);
  return fc.oneof(
    fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(([part, bit]): Mutation => (bytes) => {
      const copy = Buffer.from(bytes);
      const index = at(bytes, part);
      if (index < copy.length) copy[index] = (copy[index] ?? 0) ^ (1 << bit);
      return copy;
    }),
    fc.tuple(place, fc.constantFrom(...TOKENS)).map(([part, token]): Mutation => (bytes) => {
      const index = at(bytes, part);
      return splice(bytes, index, index, Buffer.from(token, 'latin1'));
    }),
    fc.tuple(place, place).map(([part, size]): Mutation => (bytes) => {
      const begin = at(bytes, part);
      return splice(bytes, begin, begin + Math.ceil(size * 20), Buffer.alloc(0));
    }),
    fc
      .tuple(place, place, fc.integer({ min: 1, max: 50 }))
      .map(([part, size, times]): Mutation => (bytes) => {
        const begin = at(bytes, part);
        const piece = bytes.subarray(begin, begin + Math.ceil(size * 200));
        return splice(bytes, begin, begin, Buffer.concat(Array<Buffer>(times).fill(piece)));
      }),
    place.map(
      (part): Mutation =>
        (bytes) =>
          bytes.subarray(0, at(bytes, part)),
    ),
    fc.tuple(place, fc.uint8Array({ maxLength: 64 })).map(
      ([part, noise]): Mutation =>
        (bytes) =>
          splice(bytes, at(bytes, part), at(bytes, part), noise),
    ),
  );
}

/** These bytes, with up to four changes. */
function mutated(original: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(original, fc.array(mutation(), { minLength: 1, maxLength: 4 }))
    .map(([bytes, mutations]) => mutations.reduce((changed, mutate) => mutate(changed), bytes));
}

// --- HTTP -----------------------------------------------------------------------------------------------------------

const PATHS = [
  ...['/miner-positions', '/miner-positions/changes', `/miner-positions/${MINER}`, '/miner-hotkeys'],
  ...['/statistics', `/statistics/${MINER}`, `/statistics/${MINER}/`, '/eliminations', '/orders'],
  ...[
    '/validator-checkpoint',
    '/miner-copying',
    '/healthz',
    '/readyz',
    '/openapi.json',
    '/docs',
    '/dashboard',
  ],
  ...['/dashboard/config.json', '/docs/asyncapi.yaml', '/', '*', '//', '/..', 'http://x/healthz'],
];
const METHODS = [
  ...Array<string>(20).fill('GET'),
  ...['HEAD', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'TRACE', 'CONNECT', 'QUERY', 'get', 'X'],
];
const BEARER = `Bearer ${FUZZ_KEY}`;
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  Authorization: [BEARER, BEARER, BEARER, 'Bearer', 'Bearer  ', 'Basic a', BEARER.toLowerCase(), ''],
  'Accept-Encoding': [
    'gzip',
    'identity',
    'gzip;q=0',
    '*;q=0',
    'gzip;q=x',
    'identity;q=0, *;q=0',
    'br, gzip;q=1e9',
  ],
  'If-None-Match': ['*', '"a"', 'W/"a"', '""', '"a, "b"'],
  'Content-Type': [
    'application/json',
    'application/json; charset=x',
    'text/plain',
    'multipart/form-data',
    'a/b/c',
  ],
  'Content-Encoding': ['gzip', 'br', 'x'],
  'X-Request-Id': ['a', 'a b', 'a'.repeat(100), FUZZ_KEY],
  'X-Forwarded-For': ['1.2.3.4', '1.2.3.4, ::1', 'unknown', ',,,', '%'],
  Origin: ['null', 'http://localhost', 'https://a b'],
  Connection: ['close', 'keep-alive', 'Upgrade', 'Authorization', 'close, keep-alive'],
  Upgrade: ['websocket', 'h2c'],
  Expect: ['100-continue', 'x'],
  Range: ['bytes=0-1', 'bytes=1-0', 'x'],
  'Access-Control-Request-Method': ['GET', 'PUT'],
  Cookie: ['a=b'],
};

/** Printable, now and then of any bytes that are no line break. */
const anyText = (maxLength: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.string({ maxLength }) },
    {
      weight: 1,
      arbitrary: fc.string({ unit: 'binary', maxLength }).map((text) => text.replace(/[\r\n]/g, '')),
    },
  );

/** Such text as a URL holds it, now and then as it is. */
const anyPart = (maxLength: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.string({ maxLength }).map(encodeURIComponent) },
    { weight: 1, arbitrary: anyText(maxLength) },
  );

function path(): fc.Arbitrary<string> {
  const known = fc.constantFrom(...PATHS);
  const part = fc.oneof(
    anyPart(20),
    fc.constantFrom(
      '..',
      '%2e%2e',
      '%00',
      '%zz',
      '%',
      ';a',
      '\\',
      'x'.repeat(200),
      '__proto__',
      '%c0%ae',
      '%f0',
    ),
  );
  return fc.oneof(
    { weight: 6, arbitrary: known },
    fc.tuple(known, part).map(([base, more]) => `${base}/${more}`),
    part.map((text) => `/${text}`),
  );
}

function query(): fc.Arbitrary<string> {
  const name = fc.oneof(
    fc.constantFrom('tier', 'since', 'limit', 'checkpoints', 'api_key', '__proto__'),
    anyPart(8),
  );
  const value = fc.oneof(
    fc.constantFrom('0', '30', '50', '100', '1', '-1', '1e3', 'false', '%', '%ff', '0'.repeat(400), ''),
    fc.integer().map(String),
    anyPart(20),
  );
  const pair = fc.tuple(name, fc.constantFrom('=', '', '[]=', '=='), value).map((parts) => parts.join(''));
  return fc.array(pair, { maxLength: 4 }).map((pairs) => (pairs.length === 0 ? '' : `?${pairs.join('&')}`));
}

function header(): fc.Arbitrary<string> {
  const known = fc
    .constantFrom(...Object.entries(HEADERS))
    .chain(([name, values]) =>
      fc
        .oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, fc.string({ maxLength: 30 }))
        .map((value) => `${name}: ${value}\r\n`),
    );
  return fc.oneof(
    { weight: 30, arbitrary: known },
    fc.tuple(anyText(10), anyText(30)).map(([name, value]) => `${name}: ${value}\r\n`),
  );
}

/** Headers of a body, and the body. */
function body(): fc.Arbitrary<string> {
  const content = fc.oneof(
    fc.constantFrom(`{"api_key": "${FUZZ_KEY}"}`, '{"api_key": 5}', '[[[[', 'null', ''),
    fc.json({ maxDepth: 5 }),
    anyText(100),
  );
  const sized = (text: string) => Buffer.byteLength(text, 'latin1');
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant('\r\n') },
    content.map((text) => `Content-Length: ${sized(text)}\r\n\r\n${text}`),
    content.map((text) => `Content-Type: application/json\r\nContent-Length: ${sized(text)}\r\n\r\n${text}`),
    content.map((text) =>
      sized(text) === 0
        ? 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
        : `Transfer-Encoding: chunked\r\n\r\n${sized(text).toString(16)}\r\n${text}\r\n0\r\n\r\n`,
    ),
    fc
      .tuple(fc.constantFrom('-1', '1', '9999', 'x', ''), content)
      .map(([length, text]) => `Content-Length: ${length}\r\n\r\n${text}`),
  );
}

function request(): fc.Arbitrary<Buffer> {
  const version = fc.oneof(
    { weight: 30, arbitrary: fc.constant('HTTP/1.1') },
    fc.constantFrom('HTTP/1.0', 'HTTP/2.0', ''),
  );
  return fc
    .tuple(
      fc.constantFrom(...METHODS),
      path(),
      query(),
      version,
      fc.array(header(), { maxLength: 6 }),
      body(),
    )
    .map(([method, where, asked, protocol, headers, rest]) =>
      Buffer.from(
        `${method} ${where}${asked} ${protocol}\r\nHost: x\r\n${headers.join('')}${rest}`,
        'latin1',
      ),
    );
}

/** What a good client sends on one connection. */
const HTTP_TRANSCRIPTS = [
  `GET /miner-positions?tier=50 HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER}\r\nAccept-Encoding: gzip\r\n\r\n`,
  `GET /orders?since=0&limit=10 HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER}\r\nUser-Agent: a\r\n\r\n`.repeat(
    3,
  ),
  `GET /statistics?checkpoints=false HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{"api_key": "${FUZZ_KEY}"}`,
  `HEAD /miner-hotkeys HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER}\r\nIf-None-Match: "a", "b"\r\n\r\n`,
  `OPTIONS /miner-positions HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Method: GET\r\n\r\n`,
  `POST /statistics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `GET /dashboard/config.json HTTP/1.1\r\nHost: localhost:48888\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n`,
].map((text) => Buffer.from(text, 'latin1'));

/** Bytes of one connection to the REST port. */
export function httpBytes(): fc.Arbitrary<Buffer> {
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.array(request(), { minLength: 1, maxLength: 3 }).map((all) => Buffer.concat(all)),
    },
    { weight: 4, arbitrary: mutated(fc.constantFrom(...HTTP_TRANSCRIPTS)) },
    { weight: 1, arbitrary: mutated(request()) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)) },
  );
}

// --- WebSocket ------------------------------------------------------------------------------------------------------

const KEY_TEXT = JSON.stringify({ api_key: FUZZ_KEY });
const MESSAGES = [
  KEY_TEXT,
  JSON.stringify({ api_key: FUZZ_KEY, last_sequence: 3, epoch: 'a' }),
  JSON.stringify({ type: 'subscribe', all: true }),
  JSON.stringify({ type: 'subscribe', trade_pairs: ['BTCUSD'], miner_hotkeys: ['a'], sender_timestamp: 1 }),
  JSON.stringify({ type: 'unsubscribe', all: true }),
  JSON.stringify({ type: 'ping', timestamp: 7 }),
];

function message(): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.constantFrom<unknown>(null, true, [], {}, '', -1, 0, 1e300, ['BTCUSD'], 'BTCUSD'),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const name = fc.constantFrom(
    ...[
      'type',
      'all',
      'api_key',
      'last_sequence',
      'epoch',
      'trade_pairs',
      'miner_hotkeys',
      'timestamp',
      '__proto__',
    ],
  );
  const type = fc.constantFrom('subscribe', 'unsubscribe', 'ping', 'pong', 'toString');
  return fc.oneof(
    fc.constantFrom(...MESSAGES),
    fc
      .tuple(type, fc.array(fc.tuple(name, value), { maxLength: 5 }))
      .map(([kind, members]) => JSON.stringify({ type: kind, ...Object.fromEntries(members) })),
    fc.json({ maxDepth: 6 }),
    anyText(100),
  );
}

function anyFrame(): fc.Arbitrary<Buffer> {
  const flags = fc.record({
    fin: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.constant(false)),
    rsv: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 7 })),
    masked: fc.oneof({ weight: 12, arbitrary: fc.constant(true) }, fc.constant(false)),
  });
  const opcode = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(1, 1, 1, 2, 0, 8, 9, 10) },
    fc.integer({ min: 0, max: 15 }),
  );
  const payload = fc.oneof(message(), fc.uint8Array({ maxLength: 200 }));
  return fc.tuple(opcode, payload, flags).map(([kind, content, options]) => frame(kind, content, options));
}

/** Bytes of one connection to the port of the stream. */
export function streamBytes(): fc.Arbitrary<Buffer> {
  const handshake = fc
    .oneof({ weight: 6, arbitrary: fc.constant('') }, header())
    .map((headers) => Buffer.from(upgradeRequest(headers), 'latin1'));
  const key = frame(1, KEY_TEXT);
  const session = fc
    .tuple(handshake, fc.boolean(), fc.array(anyFrame(), { maxLength: 6 }))
    .map(([opening, hasKey, frames]) => Buffer.concat([opening, ...(hasKey ? [key] : []), ...frames]));
  const good = fc
    .tuple(handshake, fc.subarray(MESSAGES.slice(2)))
    .map(([opening, texts]) => Buffer.concat([opening, key, ...texts.map((text) => frame(1, text))]));
  return fc.oneof(
    { weight: 4, arbitrary: session },
    { weight: 4, arbitrary: mutated(good) },
    { weight: 2, arbitrary: good },
    { weight: 1, arbitrary: request() },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)) },
  );
}
