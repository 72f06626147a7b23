/** Requests as an unauthenticated client writes them by hand. None may be taken for two, reach what is not served, or stay for long. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { fixtureTransactions, testApp } from './rest-fixture.ts';
import type { TestApp } from './rest-fixture.ts';
import { AUTH_LINES, serve, until } from './rest-served.ts';
import type { Served } from './rest-served.ts';

const HIDDEN_PATH = '/hidden';
const HIDDEN = `GET ${HIDDEN_PATH} HTTP/1.1\r\nHost: hidden\r\n\r\n`;
const KEY_BODY = '{"api_key": "key-tier100"}';

interface Listening extends Served {
  /** Paths of all requests that the server took for one. */
  readonly paths: string[];
  /** Sends bytes on a connection of their own; the answers, once the server has closed it. */
  readonly send: (bytes: string | Buffer) => Promise<string[]>;
}

async function listen(t: Test, app: TestApp = testApp(t)): Promise<Listening> {
  const served = await serve(t, app);
  const paths: string[] = [];
  served.app.server.on('request', ({ url = '' }: { url?: string }) => paths.push(url));
  return {
    ...served,
    paths,
    send: async (bytes) => {
      const socket = await served.open();
      socket.end(bytes);
      return (await text(socket)).split(/(?=HTTP\/1\.1 \d)/).filter((answer) => answer !== '');
    },
  };
}

const statusOf = (answer: string | undefined) => Number(answer?.slice(9, 12));

// --- one request taken for two --------------------------------------------------------------------------------------

const GET = `GET /healthz HTTP/1.1\r\n${AUTH_LINES}`;
const chunked = (te: string, body = '0\r\n\r\n') => `${GET}Transfer-Encoding: ${te}\r\n\r\n${body}${HIDDEN}`;
const length = (value: string) => `${GET}Content-Length: ${value}\r\n\r\n${HIDDEN}`;

/** What one side of a proxy may read as a request with a body, and the other as two requests. */
const AMBIGUOUS: Readonly<Record<string, string>> = {
  'chunks before a length': `${GET}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'chunks twice, of which one is unknown': `${GET}Transfer-Encoding: chunked\r\nTransfer-Encoding: odd\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'an unknown coding before chunks': chunked('odd, chunked, odd'),
  'chunks with a form feed before them': chunked('\fchunked'),
  'chunks with a vertical tab before them': chunked('\vchunked'),
  'chunks that are quoted': chunked('"chunked"'),
  'no coding': chunked('identity'),
  'an empty coding': chunked(''),
  'a line break within the name of the header': `${GET}Transfer-Enc\r\noding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a header without a name': `${GET}: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a first header that is folded': `GET /healthz HTTP/1.1\r\n Transfer-Encoding: chunked\r\n${AUTH_LINES}\r\n0\r\n\r\n${HIDDEN}`,
  'a tab before the colon': `${GET}Content-Length\t: 4\r\n\r\n${HIDDEN}`,
  'a return alone after a header': `${GET}X-Odd: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a line feed alone after a header': `${GET}X-Odd: a\nContent-Length: 5\r\n\r\n${HIDDEN}`,
  'chunks in HTTP/1.0': `GET /healthz HTTP/1.0\r\n${AUTH_LINES}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a length below 0': length('-1'),
  'a length with a sign': length('+5'),
  'a length in hexadecimal': length('0x5'),
  'a length with an exponent': length('1e1'),
  'a length of two numbers': length('5 5'),
  'a length with a fraction': length('5.0'),
  'no length': length(''),
  'a length of 2^64': length('18446744073709551616'),
  'the same length twice': `${GET}Content-Length: 5\r\nContent-Length: 5\r\n\r\n${HIDDEN}`,
  'a chunk size below 0': chunked('chunked', '-1\r\n\r\n'),
  'a chunk size with a sign': chunked('chunked', '+0\r\n\r\n'),
  'a chunk size of 2^64': chunked('chunked', '10000000000000000\r\n\r\n'),
  'no chunk size': chunked('chunked', '\r\n\r\n'),
  'a space before a chunk size': chunked('chunked', ' 0\r\n\r\n'),
  'a chunk that is longer than its size': chunked('chunked', '1\r\nab\r\n0\r\n\r\n'),
  'a line feed alone after a chunk size': chunked('chunked', '1\na\r\n0\r\n\r\n'),
  'a line feed in a chunk extension': chunked('chunked', '1;x\n0\r\na\r\n0\r\n\r\n'),
  'a trailer that is none': chunked('chunked', '0\r\nnot a header\r\n\r\n'),
  'a length in a trailer': chunked('chunked', '0\r\nContent-Length: 5\r\n\r\n'),
  'two hosts': `GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${HIDDEN}`,
  'the same host twice': `GET /healthz HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n${HIDDEN}`,
  'no host': `GET /healthz HTTP/1.1\r\n\r\n${HIDDEN}`,
  'a space within the method': `GE T /healthz HTTP/1.1\r\n${AUTH_LINES}\r\n${HIDDEN}`,
  'another protocol': `GET /healthz HTTX/1.1\r\n${AUTH_LINES}\r\n${HIDDEN}`,
  'HTTP/0.9': `GET /healthz\r\n${HIDDEN}`,
  'HTTP/2': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${HIDDEN}`,
  TLS: `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${HIDDEN}`,
};

await t.test('what has two readings is refused, and what follows it is never read', async (t) => {
  const { send } = await listen(t);
  for (const [name, request] of Object.entries(AMBIGUOUS)) {
    const answers = await send(Buffer.from(request, 'latin1'));
    const statuses = answers.map(statusOf);
    const told = `${name}: ${statuses.join(', ')}`;
    t.equal(statuses.at(-1), 400, told);
    t.match(answers.at(-1), /Connection: close/i, name);
    t.ok(answers.length <= 2, told);
    t.notOk(statuses.includes(404), `${name}: the hidden request has no answer`);
  }
});

await t.test('a body is read to its end, whatever it holds', async (t) => {
  const { send, paths } = await listen(t);
  const size = HIDDEN.length.toString(16);
  const close = 'Connection: close\r\n';
  const bodies: Readonly<Record<string, string>> = {
    'by its length': `${GET}${close}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
    'by chunks': `${GET}${close}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${HIDDEN}\r\n0\r\n\r\n`,
    'by chunks with spaces': `${GET}${close}Transfer-Encoding: \tchunked \r\n\r\n${size}\r\n${HIDDEN}\r\n0\r\n\r\n`,
    'by chunks with extensions and trailers': `${GET}${close}Transfer-Encoding: chunked\r\n\r\n${size};a="b"\r\n${HIDDEN}\r\n0\r\nAuthorization: Bearer other\r\n\r\n`,
  };
  for (const [name, request] of Object.entries(bodies)) {
    t.same((await send(request)).map(statusOf), [200], name);
  }
  t.same([...new Set(paths)], ['/healthz']);
});

// --- what is not served ---------------------------------------------------------------------------------------------

const SECRET = 'secret-beside-the-page';

/** Writings of a path that leads out of the folder, and of one that avoids a prefix. */
const OUTSIDE = [
  '/dashboard/../secret.txt',
  '/dashboard/..%2fsecret.txt',
  '/dashboard/%2e%2e/secret.txt',
  '/dashboard/%2e%2e%2fsecret.txt',
  '/dashboard/%252e%252e%252fsecret.txt',
  '/dashboard/..\\secret.txt',
  '/dashboard/..%5csecret.txt',
  '/dashboard/..;/secret.txt',
  '/dashboard/;/../../secret.txt',
  '/dashboard/%c0%ae%c0%ae/secret.txt',
  '/dashboard/%e0%80%ae%e0%80%ae/secret.txt',
  '/dashboard/\xc0\xae\xc0\xae/secret.txt',
  '/dashboard/%u002e%u002e/secret.txt',
  '/dashboard/index.html%00/../secret.txt',
  '/dashboard/index.html%00.txt',
  '/dashboard//../secret.txt',
  '/dashboard/./../secret.txt',
  '/docs/../secret.txt',
  '/docs/..%2f..%2fpackage.json',
  '//secret.txt',
  '/../../../../etc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/file:///etc/passwd',
  '/miner-positions/../../secret.txt',
];

await t.test('no writing of a path leads to a file that is not served', async (t) => {
  const folder = makeTemporaryFolder(t);
  mkdirSync(join(folder, 'page'));
  writeFileSync(join(folder, 'page', 'index.html'), '<p>page</p>');
  writeFileSync(join(folder, 'secret.txt'), SECRET);
  writeFileSync(join(folder, 'page', '.env'), SECRET);
  const app = testApp(t, fixtureTransactions(), undefined, { dashboardFiles: join(folder, 'page') });
  const { send } = await listen(t, app);
  for (const path of [...OUTSIDE, '/dashboard/.env']) {
    const request = `GET ${path} HTTP/1.1\r\n${AUTH_LINES}Connection: close\r\n\r\n`;
    const answers = await send(Buffer.from(request, 'latin1'));
    t.equal(answers.length, 1, path);
    t.ok([400, 404].includes(statusOf(answers[0])), `${path}: ${statusOf(answers[0])}`);
    t.notMatch(answers[0], /secret-beside|root:|"name"/, path);
  }
});

await t.test('no writing of a path gets by the key', async (t) => {
  const { send } = await listen(t);
  const paths = [
    '/miner-positions/',
    '//miner-positions',
    '/./miner-positions',
    '/healthz/../miner-positions',
    '/healthz/%2e%2e/miner-positions',
    '/healthz;/../miner-positions',
    '/miner-positions;a=b',
    '/miner-positions%00',
    '/miner-positions%20',
    '/%6diner-positions',
    '/miner-positions?api_key=key-tier100',
    '/miner-positions#/healthz',
    '/MINER-POSITIONS',
    '/docs/..%2fminer-positions',
    'http://localhost/miner-positions',
    'http://other.example/healthz/../miner-positions',
    'miner-positions',
    '*',
  ];
  for (const path of paths) {
    const answers = await send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    t.equal(answers.length, 1, path);
    t.ok([400, 401, 404].includes(statusOf(answers[0])), `${path}: ${statusOf(answers[0])}`);
    t.notMatch(answers[0], /"positions"/, path);
  }
});

await t.test('no header names another method, path, user or host', async (t) => {
  const { app } = await listen(t);
  const headers = {
    'x-http-method-override': 'DELETE',
    'x-original-url': '/healthz',
    'x-rewrite-url': '/healthz',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '127.0.0.1',
    'x-real-ip': '127.0.0.1',
    'x-remote-user': 'somebody',
    forwarded: 'for=127.0.0.1;host=evil.example',
  };
  const answer = await app.inject({ url: '/miner-positions', headers });
  t.equal(answer.statusCode, 401);
  t.notMatch(JSON.stringify(answer.headers) + answer.body, /evil\.example/);
  const page = await app.inject({ url: '/docs', headers: { host: 'evil.example"; script-src *' } });
  t.notMatch(JSON.stringify(page.headers) + page.body, /evil\.example/);
});

await t.test('no value of a request begins a header of the answer', async (t) => {
  const { send } = await listen(t);
  const split = '%0d%0aSet-Cookie:%20a=b';
  const requests = [
    `GET /miner-positions/${split} HTTP/1.1\r\n${AUTH_LINES}`,
    `GET /miner-positions?tier=${split}&since=${split} HTTP/1.1\r\n${AUTH_LINES}`,
    `GET /orders?since=${split} HTTP/1.1\r\n${AUTH_LINES}`,
    `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: a${split}\r\nOrigin: https://a${split}\r\n`,
    `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\u0085Set-Cookie: a=b\r\n`,
  ];
  for (const request of requests) {
    const answers = await send(Buffer.from(`${request}Connection: close\r\n\r\n`, 'latin1'));
    t.equal(answers.length, 1);
    t.notMatch(answers[0]?.split('\r\n\r\n')[0], /set-cookie/i, request);
  }
});

// --- sizes ----------------------------------------------------------------------------------------------------------

await t.test('what is too large is refused, what is just not is answered', async (t) => {
  const { send } = await listen(t);
  const end = 'Connection: close\r\n\r\n';
  const expected: readonly (readonly [name: string, request: string, status: number])[] = [
    ['path', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${AUTH_LINES}${end}`, 431],
    ['query', `GET /healthz?${'a=b&'.repeat(5000)} HTTP/1.1\r\n${AUTH_LINES}${end}`, 431],
    ['query that fits', `GET /healthz?${'a=b&'.repeat(3500)} HTTP/1.1\r\n${AUTH_LINES}${end}`, 200],
    ['name of a header', `${GET}${'X'.repeat(20_000)}: a\r\n${end}`, 431],
    ['number of headers that fit', `${GET}${'A: b\r\n'.repeat(97)}${end}`, 200],
    ['number of headers', `${GET}${'A: b\r\n'.repeat(500)}${end}`, 400],
    ['host', `GET /healthz HTTP/1.1\r\nHost: ${'a'.repeat(20_000)}\r\n${end}`, 431],
    ['method', `${'A'.repeat(20_000)} / HTTP/1.1\r\n${AUTH_LINES}${end}`, 400],
    [
      'key',
      `GET /miner-hotkeys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'a'.repeat(15_000)}\r\n${end}`,
      401,
    ],
    ['hotkey', `GET /miner-positions/${'a'.repeat(15_000)} HTTP/1.1\r\n${AUTH_LINES}${end}`, 404],
    [
      'body by chunks',
      `${GET}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`10000\r\n${'a'.repeat(0x10000)}\r\n`.repeat(5)}0\r\n\r\n`,
      413,
    ],
    [
      'chunk extension',
      `${GET}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(40_000)}\r\na\r\n0\r\n\r\n`,
      400,
    ],
    [
      'trailers',
      `${GET}Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n0\r\nA: ${'b'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
  ];
  for (const [name, request, status] of expected) {
    t.same((await send(request)).map(statusOf), [status], name);
  }
  // Node 20 and 22 count the headers and say 400; Node 24 counts their bytes first, and says 431.
  const tooMany = await send(`${GET}${'A: b\r\n'.repeat(5000)}${end}`);
  t.match(tooMany.map(statusOf), [/^(?:400|431)$/], 'number of headers');
});

// --- what costs more to read than to send ---------------------------------------------------------------------------

/** ms of the fastest of three, so that what else the machine does says nothing. */
async function fastest(ask: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < 3; round++) {
    const startedMs = performance.now();
    await ask();
    best = Math.min(best, performance.now() - startedMs);
  }
  return best;
}

await t.test('no text that a client sends takes long to match', async (t) => {
  const { app } = await listen(t);
  const size = 15_000;
  const hostile = [
    ' '.repeat(size),
    `bearer ${' '.repeat(size)}`,
    `application/json${' '.repeat(size)}x`,
    `application/json;${'a="\\'.repeat(size / 4)}`,
    `gzip${';q=1'.repeat(size / 4)},`.slice(0, size),
    ',;'.repeat(size / 2),
    `${'a'.repeat(size)}!`,
    `W/"${'"'.repeat(size)}`,
    '1'.repeat(size),
    '::ffff:1.1.1.'.repeat(size / 13),
    `${'0:'.repeat(size / 2)}%`,
    '1,'.repeat(size / 2),
    `a.${'a-'.repeat(size / 2)}:99999x`,
    '%41'.repeat(size / 3),
  ];
  const names = [
    ...['authorization', 'content-type', 'accept-encoding', 'accept', 'if-none-match', 'if-modified-since'],
    ...['x-request-id', 'origin', 'x-forwarded-for', 'host', 'range', 'cookie', 'referer'],
  ];
  for (const value of hostile) {
    const about = value.slice(0, 20);
    for (const name of names) {
      const ms = await fastest(() => app.inject({ url: '/docs', headers: { [name]: value } }));
      t.ok(ms < 50, `${name}: ${about}: ${ms.toFixed(1)} ms`);
    }
    const path = encodeURI(value).slice(0, size).replace(/%.?$/, '');
    for (const url of [
      `/miner-positions?tier=${path}`,
      `/orders?since=${path}`,
      `/miner-positions/${path}`,
    ]) {
      const ms = await fastest(() => app.inject({ url, headers: { authorization: 'Bearer key-tier100' } }));
      t.ok(ms < 50, `${url.slice(0, 40)}: ${ms.toFixed(1)} ms`);
    }
  }
});

await t.test(
  'JSON that is deep or has many members is read like any other, as long as it is short',
  async (t) => {
    const { app } = await listen(t);
    const deep = 125_000;
    const members = Array.from({ length: 12_000 }, (_, index) => `"k${index}":${index}`).join(',');
    const bombs: readonly (readonly [name: string, body: string, status: number])[] = [
      ['depth without end', '['.repeat(deep), 401],
      ['depth', `${'['.repeat(deep)}${']'.repeat(deep)}`, 401],
      ['depth of objects', `${'{"a":'.repeat(25_000)}1${'}'.repeat(25_000)}`, 401],
      ['depth beside a key', `{"a":${'['.repeat(8000)}${']'.repeat(8000)},"api_key":"key-tier100"}`, 200],
      ['the same member again and again', `{${'"api_key":"x",'.repeat(1000)}"api_key":"key-tier100"}`, 200],
      ['more than carries a key', `{${members},"api_key":"key-tier100"}`, 401],
      ['a long number', `{"api_key":${'9'.repeat(250_000)}}`, 401],
      ['escapes', `{"api_key":"${'\\u0041'.repeat(40_000)}"}`, 401],
    ];
    for (const [name, payload, status] of bombs) {
      const headers = { 'content-type': 'application/json' };
      const ask = () => app.inject({ url: '/miner-hotkeys', payload, headers, method: 'GET' });
      t.equal((await ask()).statusCode, status, name);
      const ms = await fastest(ask);
      t.ok(ms < 50, `${name}: ${ms.toFixed(1)} ms`);
    }
  },
);

await t.test('a compressed body stays compressed', async (t) => {
  const { app } = await listen(t);
  for (const coding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
    const bomb = gzipSync(Buffer.alloc(100_000_000, 32));
    const key = gzipSync(KEY_BODY);
    const headers = { 'content-type': 'application/json', 'content-encoding': coding };
    const before = process.memoryUsage().arrayBuffers;
    for (const payload of [bomb, key]) {
      const answer = await app.inject({ url: '/miner-hotkeys', method: 'GET', headers, payload });
      t.equal(answer.statusCode, 401, `${coding}: what is in it is not read`);
    }
    t.ok(process.memoryUsage().arrayBuffers - before < 10_000_000, coding);
  }
});

await t.test('nothing that a client names becomes a member of all objects', async (t) => {
  const { app } = await listen(t);
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
  const authorization = 'Bearer key-tier100';
  for (const name of names) {
    for (const url of [
      `/miner-positions?${name}=1&${name}[tier]=0&${name}.tier=0&constructor[prototype][tier]=0`,
      `/miner-positions?tier=100&tier[${name}]=1`,
    ]) {
      t.equal((await app.inject({ url, headers: { authorization } })).statusCode, 200, url);
    }
    for (const url of [`/miner-positions/${name}`, `/statistics/${name}`, `/${name}`]) {
      t.equal((await app.inject({ url, headers: { authorization } })).statusCode, 404, url);
    }
    const bodies = [`{"${name}":{"api_key":"key-tier100"}}`, `{"api_key":{"${name}":"key-tier100"}}`];
    for (const payload of bodies) {
      const headers = { 'content-type': 'application/json' };
      const answer = await app.inject({ url: '/miner-hotkeys', method: 'GET', headers, payload });
      t.equal(answer.statusCode, 401, payload);
    }
    t.equal((await app.inject({ url: '/miner-hotkeys', headers: { [name]: 'x' } })).statusCode, 401);
    t.equal(
      (await app.inject({ url: '/miner-hotkeys', headers: { authorization: `Bearer ${name}` } })).statusCode,
      401,
    );
  }
  for (const name of ['tier', 'api_key', '1']) t.notOk(name in {}, `${name} is no member of an object`);
});

// --- what takes its time --------------------------------------------------------------------------------------------

await t.test('who sends headers or a body byte by byte is given up, and the others are served', async (t) => {
  const served = await listen(t);
  Object.assign(served.app.server, {
    headersTimeout: 300,
    requestTimeout: 500,
    connectionsCheckingInterval: 20,
  });
  // As Node sets up its timeouts when a server begins to listen.
  served.app.server.emit('listening');
  const body = `${GET}Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n`;
  const slow = [
    ['nothing at all', ''],
    ['headers', 'GET /healthz HTTP/1.1\r\nHost: x\r\n'],
    ['a header', `${GET}X-Odd: `],
    ['a body', body],
    ['chunks', `${GET}Transfer-Encoding: chunked\r\n\r\n`],
  ] as const;
  const answers = slow.map(async ([name, begin]) => {
    const socket = await served.open();
    socket.write(begin);
    // Each byte comes well before a connection counts as idle.
    const drip = setInterval(() => socket.write(name === 'chunks' ? '1\r\na\r\n' : 'a'), 20);
    const answer = text(socket);
    answer
      .finally(() => {
        clearInterval(drip);
      })
      .catch(() => undefined);
    return [name, await answer.catch(() => '')] as const;
  });
  t.equal(statusOf((await served.send(`${GET}Connection: close\r\n\r\n`))[0]), 200);
  for (const [name, answer] of await Promise.all(answers)) {
    // The bytes that still came may have cut the answer off.
    t.ok(answer === '' || /^HTTP\/1\.1 4(00|08) /.test(answer), `${name}: ${answer.slice(0, 20)}`);
  }
  await until(() => served.connections.openCount === 0);
});

await t.test('who leaves before the answer is no fault of the server', async (t) => {
  const served = await listen(t);
  let asked = 0;
  served.app.server.on('request', ({ socket }: { socket: Socket }) => {
    asked += 1;
    // Once the answer has begun to be made, and before its first byte is.
    setImmediate(() => socket.destroy());
  });
  // With a body: only then does Node not tell of the request that it was given up.
  const request =
    'GET /statistics HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${KEY_BODY.length}\r\n\r\n${KEY_BODY}`;
  for (let round = 0; round < 20; round++) (await served.open()).write(request);
  await until(() => asked === 20 && served.connections.openCount === 0);
  t.same(served.logged, []);
});
