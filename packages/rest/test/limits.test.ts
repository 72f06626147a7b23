import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { pino } from 'pino';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { AddressLimit } from '../../access/dist/limits/address-limit.js';
import { addressGroup, ExemptAddresses } from '../../access/dist/addresses/client-address.js';
import { UntrustedProxyWarning } from '../../runtime/dist/http/untrusted-proxy.js';
import { SocketLimits } from '../../runtime/dist/http/socket-limits.js';
import { buildApp } from '../dist/app.js';
import { ByteBudget } from '../dist/byte-budget.js';
import type { PressureLimits } from '../dist/pressure.js';
import { RequestCounts } from '../dist/request-counts.js';
import type { RequestsTransaction } from '../dist/request-counts.js';
import { Snapshots } from '../dist/snapshots/snapshots.js';
import { fixtureTransactions, grant, keysTransaction } from './rest-fixture.ts';
import type { LogLine } from './rest-fixture.ts';
import { until } from './rest-served.ts';

const CUSTOMER = '203.0.113.7';
const NOW_MS = Date.UTC(2026, 0, 1);

interface Options {
  readonly requestsPerMinute?: number;
  readonly trustedProxies?: readonly string[];
  readonly corsOrigins?: readonly string[];
  readonly pressure?: PressureLimits;
  readonly rateLimit?: number;
  readonly unauthenticatedPerMinute?: number;
  readonly bytesPerMinute?: number;
}

function limitedApp(t: Test, options: Options = {}, pid = 1) {
  const { requestsPerMinute = 600, trustedProxies = [], corsOrigins = [], pressure, rateLimit } = options;
  const { unauthenticatedPerMinute = 0, bytesPerMinute } = options;
  const snapshots = new Snapshots();
  const amy = { ...grant('good', 100), userId: 'amy', ...(rateLimit !== undefined && { rateLimit }) };
  const old = { ...amy, sha256: grant('before', 100).sha256 };
  snapshots.apply([keysTransaction([amy, old]), ...fixtureTransactions()]);
  const published: RequestsTransaction[] = [];
  const logged: LogLine[] = [];
  const clock = { ms: NOW_MS };
  const now = () => clock.ms;
  const counts = new RequestCounts({ pid, publish: (change) => published.push(change), now });
  const config = { requestsPerMinute, trustedProxies, corsOrigins, authFailuresPerMinute: 3 };
  const app = buildApp({
    snapshots,
    log: pino({ level: 'info' }, { write: (line) => logged.push(JSON.parse(line) as LogLine) }),
    limits: {
      config,
      counts,
      bytes: new ByteBudget(bytesPerMinute, now),
      failures: new AddressLimit(3, trustedProxies, now),
      unauthenticated: new AddressLimit(unauthenticatedPerMinute, trustedProxies, now),
    },
    ...(pressure && { pressure }),
    now,
  });
  t.teardown(() => app.close());
  const get = (key?: string, headers: Record<string, string> = {}, remoteAddress = CUSTOMER) =>
    app.inject({
      url: '/miner-hotkeys',
      remoteAddress,
      headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
    });
  return { app, get, counts, published, clock, logged };
}

void t.test('answers say what is left of the minute; beyond it 429 with Retry-After', async (t) => {
  const { get, clock } = limitedApp(t, { requestsPerMinute: 2 });
  const first = await get('good');
  t.equal(first.headers['ratelimit-policy'], '"default";q=2;w=60, "bytes";q=1073741824;w=60');
  const [, seconds = ''] =
    /^"default";r=1;t=(\d+), "bytes";r=1073741824;t=60$/.exec(String(first.headers['ratelimit'])) ?? [];
  t.ok(Number(seconds) >= 1 && Number(seconds) <= 60);
  t.equal((await get('before')).statusCode, 200, 'the key before a rotation is the same user');
  const third = await get('good');
  t.equal(third.statusCode, 429);
  t.equal(third.headers['retry-after'], seconds);
  t.match(third.json(), { error: `This API key may make 2 requests per minute. Try again in ${seconds} s` });
  clock.ms += Number(seconds) * 1000;
  t.equal((await get('good')).statusCode, 200);
});

void t.test('refusals of a user beyond its limit fill no log', async (t) => {
  const { get, logged } = limitedApp(t, { requestsPerMinute: 2 });
  for (let request = 0; request < 2; request++) await get('good');
  await Promise.all(Array.from({ length: 48 }, () => get('good')));
  const lines = logged.filter(({ event }) => event === 'request');
  t.same(
    lines.map((line) => (line as { status?: number }).status),
    [200, 200, ...Array.from({ length: 10 }, () => 429)],
  );
});

void t.test('bytes are limited beside requests, and a text that is decompressed counts twice', async (t) => {
  const { app, get } = limitedApp(t, { bytesPerMinute: 200_000 });
  const all = (encoding: string) =>
    app.inject({
      url: '/miner-positions',
      headers: { authorization: 'Bearer good', 'accept-encoding': encoding },
      remoteAddress: CUSTOMER,
    });
  const leftOf = ({ headers }: Awaited<ReturnType<typeof all>>) =>
    Number(/"bytes";r=(\d+)/.exec(String(headers['ratelimit']))?.[1]);
  const zipped = await all('gzip');
  const text = await all('identity');
  t.equal(leftOf(zipped) - leftOf(text), zipped.rawPayload.length);
  const next = await get('good');
  t.equal(leftOf(text) - leftOf(next), 2 * text.rawPayload.length);
  let last = next;
  for (let request = 0; request < 1000 && last.statusCode === 200; request++) last = await all('identity');
  t.same([last.statusCode, last.headers['retry-after']], [429, '60']);
  t.match(last.json(), { error: /^This API key may be sent .* MB per minute\. Try again in 60 s$/ });
});

void t.test('the limit of a user in the key file counts before the one of all', async (t) => {
  const { get } = limitedApp(t, { requestsPerMinute: 1, rateLimit: 3 });
  const answers = [await get('good'), await get('good'), await get('good'), await get('good')];
  t.same(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200, 429],
  );
});

void t.test('several workers count one user together', async (t) => {
  const one = limitedApp(t, { requestsPerMinute: 3 }, 1);
  const other = limitedApp(t, { requestsPerMinute: 3 }, 2);
  await one.get('good');
  await one.get('good');
  await until(() => one.published.length > 0);
  for (const change of one.published) {
    other.counts.apply(change);
    one.counts.apply(change);
  }
  t.match((await other.get('good')).headers['ratelimit'], /r=0;/);
  t.equal((await other.get('good')).statusCode, 429);
  t.match((await one.get('good')).headers['ratelimit'], /r=0;/, 'its own come back to it and count once');
});

void t.test('an address that guesses keys is refused for the rest of the minute, no other one', async (t) => {
  const { get, clock } = limitedApp(t);
  for (const guess of ['a', 'b', 'c']) t.equal((await get(guess)).statusCode, 401);
  const refused = await get('d');
  t.same(
    [refused.statusCode, refused.headers['retry-after'], refused.headers['connection']],
    [429, '60', 'close'],
  );
  t.equal((await get('good')).statusCode, 200, 'failures never stop a key that counts');
  t.equal((await get()).statusCode, 401, 'no key is no guess');
  t.equal((await get('d', {}, '203.0.113.8')).statusCode, 401);
  clock.ms += 60_000;
  t.equal((await get('d')).statusCode, 401);
});

void t.test('what pages of other sites try is no guess of the programs at that address', async (t) => {
  const { get } = limitedApp(t, { corsOrigins: ['https://app.example.com'] });
  const from = (origin: string) => ({ origin, host: '198.51.100.1:48888' });
  for (let guess = 0; guess < 9; guess++) await get('bad', from('https://evil.example'));
  t.equal((await get('bad', from('https://evil.example'))).statusCode, 429, 'they have a limit of their own');
  t.equal((await get('bad')).statusCode, 401);
  t.equal((await get('bad', from('https://app.example.com'))).statusCode, 401);
  t.equal((await get('bad', from('http://198.51.100.1'))).statusCode, 401);
  t.equal((await get('bad', from('http://198.51.100.1'))).statusCode, 429, 'these are counted together');
});

void t.test('requests without a key are limited by address, and those with one never by it', async (t) => {
  const { app, get } = limitedApp(t, { unauthenticatedPerMinute: 2 });
  const ask = (url: string, remoteAddress = CUSTOMER) => app.inject({ url, remoteAddress });
  t.equal((await ask('/healthz')).statusCode, 200);
  t.equal((await ask('/nothing')).statusCode, 404);
  const refused = await ask('/healthz');
  t.same([refused.statusCode, refused.headers['retry-after']], [429, '60']);
  t.match(refused.json(), { error: 'Too many requests without a key from this address. Try again in 60 s' });
  t.equal((await get('good')).statusCode, 200);
  t.equal((await ask('/healthz', '203.0.113.8')).statusCode, 200);
  for (let request = 0; request < 9; request++) await ask('/healthz', '127.0.0.1');
  t.equal((await ask('/healthz', '127.0.0.1')).statusCode, 200, 'this machine has no limit');
});

const JSON_TYPE = { 'content-type': 'application/json' };
const LIMITED: readonly (readonly [
  what: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  payload?: string,
])[] = [
  ['a guess where no key is needed', '/healthz', { authorization: 'Bearer guess' }],
  ['a key where none is needed', '/healthz', { authorization: 'Bearer good' }],
  ['a key where nothing is', '/nothing', { authorization: 'Bearer good' }],
  ['a guess', '/miner-hotkeys', { authorization: 'Bearer guess' }],
  ['another scheme', '/miner-hotkeys', { authorization: 'Basic good' }],
  ['a body that is no JSON', '/miner-hotkeys', { 'content-type': 'text/plain' }, '{"api_key":"good"}'],
  ['JSON without a key', '/miner-hotkeys', JSON_TYPE, '{}'],
  ['broken JSON', '/miner-hotkeys', JSON_TYPE, '{"api_key'],
  ['a guess in a body', '/miner-hotkeys', JSON_TYPE, '{"api_key":"guess"}'],
  ['a key in the body where none is needed', '/healthz', JSON_TYPE, '{"api_key":"good"}'],
  ['a guess in the body where the header alone counts', '/debt-ledger', JSON_TYPE, '{"api_key":"guess"}'],
  ['a key in the body where the header alone counts', '/debt-ledger', JSON_TYPE, '{"api_key":"good"}'],
  [
    'a body that does not say how large it is',
    '/miner-hotkeys',
    { ...JSON_TYPE, 'transfer-encoding': 'chunked' },
    '{"api_key":"good"}',
  ],
];
for (const [what, url, headers, payload] of LIMITED) {
  void t.test(`${what} counts as a request without a key`, async (t) => {
    const { app, get } = limitedApp(t, { unauthenticatedPerMinute: 2 });
    const ask = () => app.inject({ url, remoteAddress: CUSTOMER, headers, ...(payload && { payload }) });
    const statuses = [(await ask()).statusCode, (await ask()).statusCode];
    t.notOk(statuses.includes(429), statuses.join());
    const refused = await ask();
    t.same([refused.statusCode, refused.headers['connection']], [429, 'close']);
    t.match(refused.json(), { error: /^Too many requests without a key from this address/ });
    t.equal((await get('good')).statusCode, 200, 'a key that counts is not refused for it');
    const inBody = { url: '/miner-hotkeys', headers: JSON_TYPE, payload: '{"api_key":"good"}' };
    t.equal((await app.inject({ ...inBody, remoteAddress: CUSTOMER })).statusCode, 200, 'nor one in a body');
  });
}

void t.test('a large body is read only from who has a key', async (t) => {
  const { app } = limitedApp(t, { unauthenticatedPerMinute: 2 });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  /** What answers to a request whose body of 100 KB has only begun, and to its end. */
  const answer = async (authorization: string, end: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.write(
      `GET /miner-hotkeys HTTP/1.1\r\nHost: x\r\n${authorization}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{`,
    );
    socket.write(end);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    return chunk.toString('latin1');
  };
  t.match(await answer('', ''), /^HTTP\/1\.1 401 [^]*\r\nconnection: close\r\n/i);
  t.match(await answer('Authorization: Bearer guess\r\n', ''), /^HTTP\/1\.1 401 /);
  t.match(await answer('Authorization: Bearer good\r\n', 'x'.repeat(99_999)), /^HTTP\/1\.1 200 /);
});

void t.test('a refusal comes later than any other answer', async (t) => {
  const { get } = limitedApp(t, { requestsPerMinute: 1 });
  await get('good');
  const startedMs = performance.now();
  t.equal((await get('good')).statusCode, 429);
  t.ok(performance.now() - startedMs >= 99);
});

void t.test('requests without a user are no lines of the log, the others are', async (t) => {
  const { app, get, logged } = limitedApp(t);
  const lines = () => logged.filter(({ event }) => event === 'request');
  await app.inject({ url: '/healthz' });
  await get('bad');
  t.same(lines(), []);
  await get('good', { 'x-request-id': 'their-own-1' });
  await get('good', { 'x-request-id': 'before' });
  await until(() => lines().length === 2);
  t.match(lines(), [{ user_id: 'amy', client_request_id: 'their-own-1' }, { user_id: 'amy' }]);
  t.notMatch(JSON.stringify(lines()[1]), /client_request_id|before/, 'a key is not logged');
});

void t.test('X-Forwarded-For counts from a trusted proxy alone', async (t) => {
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const trusting = limitedApp(t, { trustedProxies: ['loopback'] });
  for (let guess = 0; guess < 3; guess++) await trusting.get('bad', from(CUSTOMER), '127.0.0.1');
  t.equal((await trusting.get('bad', from(CUSTOMER), '127.0.0.1')).statusCode, 429);
  t.equal((await trusting.get('bad', from('203.0.113.8'), '127.0.0.1')).statusCode, 401);

  const wary = limitedApp(t);
  for (let guess = 0; guess < 3; guess++) await wary.get('bad', from(`198.51.100.${guess}`));
  t.equal((await wary.get('bad', from('198.51.100.9'))).statusCode, 429, 'it cannot name another address');
});

void t.test('a proxy that is not named is told of, once a minute', async (t) => {
  const warned: object[] = [];
  const clock = { ms: 0 };
  const log = { warn: (fields: object, text: string) => warned.push({ ...fields, text }) };
  const warning = new UntrustedProxyWarning(log, () => clock.ms);
  const headers = { 'x-forwarded-for': CUSTOMER };
  warning.look({ headers: {}, ips: ['10.0.0.5'] });
  warning.look({ headers, ips: ['10.0.0.5', CUSTOMER] });
  t.same(warned, [], 'without the header, and from a proxy that is believed');
  for (let request = 0; request < 1000; request++) warning.look({ headers, ips: ['::ffff:10.0.0.5'] });
  t.match(warned, [
    { event: 'untrusted-proxy', address: '10.0.0.5', text: /start with --trust-proxy 10\.0\.0\.5:/ },
  ]);
  t.equal(warned.length, 1);
  clock.ms += 60_000;
  warning.look({ headers, ips: ['10.0.0.5'] });
  t.equal(warned.length, 2);

  for (const [trustedProxies, expected] of [
    [[], 1],
    [['loopback'], 0],
  ] as const) {
    const { get, logged } = limitedApp(t, { trustedProxies });
    t.equal((await get('good', headers, '127.0.0.1')).statusCode, 200);
    await get('good', headers, '127.0.0.1');
    t.equal(logged.filter(({ event }) => event === 'untrusted-proxy').length, expected);
    t.notOk(JSON.stringify(logged).includes(CUSTOMER), 'what the header says is not logged');
  }
});

void t.test(
  'a proxy on this machine that is not named is never refused for one of its clients',
  async (t) => {
    const { get } = limitedApp(t);
    for (let guess = 0; guess < 9; guess++) await get('bad', {}, '127.0.0.1');
    t.equal((await get('good', {}, '127.0.0.1')).statusCode, 200);
  },
);

for (const limit of ['maxHeapUsedBytes', 'maxRssBytes'] as const)
  void t.test(`above ${limit} requests are turned away, health is not`, async (t) => {
    const pressure = { maxEventLoopDelayMs: 60_000, maxHeapUsedBytes: 2 ** 40, sampleMs: 10, [limit]: 1 };
    const { app, get } = limitedApp(t, { pressure });
    let answer = await get('good');
    const deadlineMs = performance.now() + 5000;
    while (answer.statusCode === 200 && performance.now() < deadlineMs) answer = await get('good');
    t.same([answer.statusCode, answer.headers['retry-after']], [503, '2']);
    t.equal((await app.inject('/healthz')).statusCode, 200);
  });

void t.test('a delay of the event loop turns requests away, but not the delay of the start', async (t) => {
  const pressure = { maxEventLoopDelayMs: 1e-6, maxHeapUsedBytes: 2 ** 40, sampleMs: 10 };
  const busy = limitedApp(t, { pressure });
  const starting = limitedApp(t, { pressure: { ...pressure, graceMs: 60_000 } });
  await waitFor(async () => (await busy.get('good')).statusCode === 503, { what: 'it is busy' });
  t.equal((await starting.get('good')).statusCode, 200);
});

void t.test('pages of other origins read nothing unless they are listed', async (t) => {
  const origin = 'https://app.example.com';
  const closed = await limitedApp(t).get('good', { origin });
  t.equal(closed.headers['access-control-allow-origin'], undefined);
  const { app, get } = limitedApp(t, { corsOrigins: [origin] });
  const open = await get('good', { origin });
  t.equal(open.headers['access-control-allow-origin'], origin);
  t.match(open.headers['vary'], /Accept-Encoding, Origin/);
  t.match(open.headers['access-control-expose-headers'], /X-Sequence/);
  const foreign = await get('good', { origin: 'https://evil.example' });
  t.equal(foreign.headers['access-control-allow-origin'], undefined);
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/miner-positions',
    headers: { origin, 'access-control-request-method': 'GET' },
  });
  t.equal(preflight.statusCode, 204);
  t.match(preflight.headers['access-control-allow-headers'], /Authorization/);
});

void t.test('one address is one client, whatever way it is written', (t) => {
  const same: readonly (readonly string[])[] = [
    [
      '203.0.113.7',
      ' 203.0.113.7 ',
      '203.0.113.7:40000',
      '203.0.113.7:1',
      '"203.0.113.7:47011"',
      '::ffff:203.0.113.7',
      '::FFFF:203.0.113.7',
      '[::ffff:203.0.113.7]:443',
      '::ffff:cb00:7107',
      '0:0:0:0:0:ffff:cb00:7107',
      '0000:0000:0000:0000:0000:ffff:203.0.113.7',
      '64:ff9b::203.0.113.7',
      '64:ff9b::cb00:7107',
    ],
    [
      '2001:db8:1:2::9',
      '[2001:db8:1:2::9]',
      '[2001:db8:1:2:3:4:5:6]:50000',
      '"[2001:DB8:1:2::9]:50001"',
      '2001:0db8:0001:0002:0:0:0:1',
      '2001:db8:1:2::9%eth0',
    ],
    ['203.0.113.8', '64:ff9b::203.0.113.8', '::ffff:203.0.113.8'],
    ['2001:db8:1:3::9'],
    ['64:ff9b:1::203.0.113.7'],
    ['64:ff9b:1::203.0.113.8'],
    ['2001:0:1:2:3:4:5:6'],
    ['2001:0:1:2:3:4:5:7'],
    [
      'unknown',
      '_hidden',
      '',
      '203.0.113',
      '203.0.113.256',
      '0xcb007107',
      '010.0.0.1',
      '::ffff:0177.0.0.1',
      '1',
    ],
  ];
  const groups = same.map((texts) => new Set(texts.map(addressGroup)));
  for (const [index, group] of groups.entries())
    t.equal(group.size, 1, `${same[index]?.[0]}: ${[...group].join()}`);
  t.equal(new Set(groups.flatMap((group) => [...group])).size, same.length, 'and no two clients are one');
  t.end();
});

void t.test('what a proxy forwards counts as an address, or else the proxy does', async (t) => {
  const from = (address: string) => ({ 'x-forwarded-for': address });
  for (const write of [
    (port: number) => `203.0.113.7:${port}`,
    (port: number) => `[2001:db8::1]:${port}`,
    (port: number) => `[2001:db8::${port % 1000}]`,
    (port: number) => `198.51.100.${port % 200}, 203.0.113.7:${port}, 127.0.0.1:${port}`,
  ]) {
    const { get } = limitedApp(t, { trustedProxies: ['loopback'] });
    for (let guess = 0; guess < 3; guess++) await get('bad', from(write(40_000 + guess)), '127.0.0.1');
    t.equal((await get('bad', from(write(40_009)), '127.0.0.1')).statusCode, 429, write(1));
    t.equal((await get('bad', from('203.0.113.99:1'), '127.0.0.1')).statusCode, 401, 'another address');
  }
  const { get } = limitedApp(t, { trustedProxies: ['10.0.0.5'] });
  for (let guess = 0; guess < 9; guess++) await get('bad', from(`unknown${guess}`), '10.0.0.5');
  t.equal((await get('good', from('unknown'), '10.0.0.5')).statusCode, 200, 'a proxy is not locked out');
});

void t.test('IPv6 clients count by network, mapped ones as IPv4; proxies by block', (t) => {
  t.equal(addressGroup('2001:db8:1:2:3:4:5:6'), addressGroup('2001:DB8:1:2::9'));
  t.not(addressGroup('2001:db8:1:2::9'), addressGroup('2001:db8:1:3::9'));
  t.equal(addressGroup('::ffff:203.0.113.7'), CUSTOMER);
  const exempt = new ExemptAddresses(['10.0.0.0/8', 'fd00::/8']);
  t.same(
    ['10.1.2.3', '::ffff:127.0.0.1', '::1', 'fd00::5', CUSTOMER, 'nonsense'].map((ip) => exempt.has(ip)),
    [true, true, true, true, false, false],
  );
  t.end();
});

/** Connections that say nothing, admitted by these limits. */
async function crowd(
  t: Test,
  limits: ConstructorParameters<typeof SocketLimits>[0]['limits'],
  count: number,
) {
  const sockets = new SocketLimits({ limits, log: pino({ level: 'silent' }) });
  const admitted: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (sockets.admit(socket)) admitted.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];
  t.teardown(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  for (let at = 0; at < count; at++) {
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    clients.push(client);
    await once(client, 'connect');
  }
  await until(() => admitted.length === count);
  return { sockets, admitted };
}

void t.test('5,000 idle connections: the newest of them are kept, those with a key always', async (t) => {
  const limits = { connectionsPerAddress: 200, unauthenticated: 50, trustedProxies: [] };
  const run = await crowd(t, limits, 40);
  const [first] = run.admitted;
  if (first === undefined) throw new Error('one was admitted');
  run.sockets.authenticated(first);
  t.equal(run.sockets.unauthenticatedCount, 39);
  const many = await crowd(t, limits, 5000);
  t.equal(many.sockets.unauthenticatedCount, 50);
  t.equal(many.admitted.filter((socket) => !socket.destroyed).length, 50);
  t.notOk(many.admitted.at(-1)?.destroyed);
  t.notOk(first.destroyed);
});
