/** Clients, proxies and pages that use HTTP in ways that are allowed and less common. */
import { buffer, text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { AddressLimit } from '../../access/dist/limits/address-limit.js';
import { RequestCounts } from '../dist/request-counts.js';
import { BEARER, documentTransaction, fixtureTransactions, testApp } from './rest-fixture.ts';
import { AUTH_LINES, LARGE, serve } from './rest-served.ts';

const answersOf = (received: Buffer): string[] =>
  received
    .toString('latin1')
    .split(/(?=HTTP\/1\.1 \d{3})/)
    .filter((answer) => answer !== '');

await t.test('a client that ends its side behind its request gets every answer whole', async (t) => {
  const big = `{"text": "${'0123456789abcdef'.repeat(1_300_000)}"}`;
  const served = await serve(
    t,
    testApp(t, [...fixtureTransactions(), LARGE, documentTransaction('checkpoint', big)]),
  );
  const ask = async (requests: string): Promise<string[]> => {
    const socket = await served.open();
    socket.end(requests);
    return answersOf(await buffer(socket));
  };
  const get = (url: string, more = '') => `GET ${url} HTTP/1.1\r\n${AUTH_LINES}${more}\r\n`;
  const bodyOf = (answer = ''): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const [identity = ''] = await ask(get('/miner-positions', 'Accept-Encoding: identity\r\n'));
    const length = Number(/content-length: (\d+)/i.exec(identity)?.[1]);
    t.equal(bodyOf(identity).length, length, 'identity');
    JSON.parse(bodyOf(identity));
    const [zipped] = await ask(get('/miner-positions', 'Accept-Encoding: gzip\r\n'));
    t.equal(gunzipSync(Buffer.from(bodyOf(zipped), 'latin1')).length, length, 'gzip');
  }
  const [checkpoint] = await ask(get('/validator-checkpoint', 'Accept-Encoding: identity\r\n'));
  t.equal(bodyOf(checkpoint).length, big.length, '20 MB');
  const several = await ask(
    get('/healthz') + get('/eliminations', 'Accept-Encoding: identity\r\n') + get('/nothing'),
  );
  t.same(
    several.map((answer) => answer.slice(9, 12)),
    ['200', '200', '404'],
    'pipelined',
  );
  const [head] = await ask(`HEAD /miner-positions HTTP/1.1\r\n${AUTH_LINES}\r\n`);
  t.match(head, /^HTTP\/1\.1 200/);
  const [cut] = await ask('GET /healthz HTTP/1.1\r\nHost: x\r\n');
  t.match(cut, /^HTTP\/1\.1 400/, 'a request that is not whole');
  t.equal(served.connections.openCount, 0, 'no connection stays');
});

await t.test('errors that Fastify never sees are JSON with a request id too', async (t) => {
  const served = await serve(t);
  const ask = async (request: string): Promise<string> => {
    const socket = await served.open();
    socket.end(request);
    return text(socket);
  };
  const cases: readonly [number, string][] = [
    [400, 'NONSENSE\r\n\r\n'],
    [400, `GET /healthz HTTP/1.1\r\n\r\n`],
    [417, `GET /healthz HTTP/1.1\r\n${AUTH_LINES}Expect: miracles\r\n\r\n`],
    [431, `GET /healthz HTTP/1.1\r\n${AUTH_LINES}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`],
  ];
  for (const [status, request] of cases) {
    const answer = await ask(request);
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    t.match(answer, /^content-type: application\/json/im);
    t.match(answer, /^x-request-id: [\w-]+/im);
    t.match(answer, /^connection: close/im);
    t.match(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)), { error: /^[A-Z]/ });
  }
  t.match(await ask('GET /healthz HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200/, 'HTTP/1.0 needs no Host');
});

await t.test('the scheme and the key may stand apart', async (t) => {
  const { app } = testApp(t);
  for (const authorization of ['Bearer  key-tier100', 'bearer \t key-tier100', 'Bearer key-tier100'])
    t.equal((await app.inject({ url: '/miner-hotkeys', headers: { authorization } })).statusCode, 200);
  for (const authorization of ['Bearer', 'Bearer ', 'Bearerkey-tier100'])
    t.equal((await app.inject({ url: '/miner-hotkeys', headers: { authorization } })).statusCode, 401);
});

await t.test('what is served to browsers names no absolute path', async (t) => {
  const { app } = testApp(t);
  const redirect = await app.inject({ url: '/docs/' });
  t.match([redirect.statusCode, redirect.headers.location], [307, '../docs']);
  const page = await app.inject({ url: '/docs' });
  const links = [...page.body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link ?? '');
  t.ok(links.length >= 5);
  for (const link of links.filter((one) => !one.startsWith('data:'))) {
    const { pathname } = new URL(link, 'http://x/api/docs');
    t.ok(pathname.startsWith('/api/'), link);
    t.equal((await app.inject({ url: pathname.slice('/api'.length) })).statusCode, 200, link);
  }
  const script = (await app.inject({ url: '/docs/docs.js' })).body;
  t.match(script, /url: 'openapi\.json'/);
  const { servers } = (await app.inject({ url: '/openapi.json' })).json<{ servers: { url: string }[] }>();
  t.same(servers, [{ url: '.' }]);
});

await t.test('documents for people are compressed for those who take gzip', async (t) => {
  const { app } = testApp(t);
  for (const url of [
    '/docs',
    '/docs/docs.js',
    '/docs/swagger-ui-bundle.js',
    '/docs/swagger-ui.css',
    '/docs/asyncapi.yaml',
    '/openapi.json',
  ]) {
    const plain = await app.inject({ url });
    const zipped = await app.inject({ url, headers: { 'accept-encoding': 'gzip' } });
    t.equal(zipped.headers['content-encoding'], 'gzip', url);
    t.equal(gunzipSync(zipped.rawPayload).toString(), plain.body, url);
    t.match([plain.headers.vary, zipped.headers.vary], ['Accept-Encoding', 'Accept-Encoding']);
    t.not(plain.headers.etag, zipped.headers.etag);
    const again = await app.inject({
      url,
      headers: { 'accept-encoding': 'gzip', 'if-none-match': String(zipped.headers.etag) },
    });
    t.equal(again.statusCode, 304);
  }
});

const PAGE = 'https://page.example';

for (const origins of [['*'], [PAGE]]) {
  await t.test(
    `pages of ${origins.join()} may send every header that is read, and read every answer`,
    async (t) => {
      const config = {
        requestsPerMinute: 15,
        trustedProxies: [],
        corsOrigins: origins,
        authFailuresPerMinute: 100,
      };
      const counts = new RequestCounts({ pid: 1, publish: () => undefined, now: Date.now });
      let asked = 0;
      const orders = () => {
        asked += 1;
        if (asked > 1) throw new Error('the log cannot be read');
        return undefined;
      };
      const served = await serve(
        t,
        testApp(t, undefined, orders, {
          limits: { config, counts, failures: new AddressLimit(100, []) },
        }),
      );
      const { app } = served;
      const preflight = await app.inject({
        method: 'OPTIONS',
        url: '/miner-positions',
        headers: { origin: PAGE, 'access-control-request-method': 'GET' },
      });
      t.equal(preflight.statusCode, 204);
      const allowed = String(preflight.headers['access-control-allow-headers']).toLowerCase().split(', ');
      for (const name of ['authorization', 'content-type', 'if-match', 'if-modified-since', 'if-none-match'])
        t.ok(allowed.includes(name), name);
      const headers = { ...BEARER, origin: PAGE };
      const requests = [
        { url: '/miner-hotkeys', headers },
        { url: '/nothing', headers },
        { url: '/%zz', headers },
        { url: '/miner-hotkeys', method: 'POST' as const, headers },
        { url: '/miner-hotkeys', headers: { origin: PAGE } },
        { url: '/miner-positions?tier=7', headers },
        { url: '/miner-hotkeys', headers: { ...headers, 'if-match': '"other"' } },
        { url: '/orders?since=0', headers },
        { url: '/orders?since=0', headers },
        { url: '/miner-hotkeys', headers: { ...headers, host: 'x' }, payload: 'x'.repeat(300_000) },
        ...Array.from({ length: 15 }, () => ({ url: '/miner-hotkeys', headers })),
      ];
      const statuses = new Set<number>();
      for (const request of requests) {
        const answer = await app.inject(request);
        statuses.add(answer.statusCode);
        const expected = origins.includes('*') ? '*' : PAGE;
        t.equal(
          answer.headers['access-control-allow-origin'],
          expected,
          `${request.url} ${answer.statusCode}`,
        );
        const varies = /(^|, )Origin$/.test(String(answer.headers.vary));
        t.equal(varies, !origins.includes('*'), `Vary of ${request.url} ${answer.statusCode}`);
      }
      t.same([...statuses].toSorted(), [200, 400, 401, 404, 405, 412, 413, 429, 500, 503]);
      const other = await app.inject({ url: '/healthz', headers: { origin: 'https://other.example' } });
      t.equal(other.headers['access-control-allow-origin'], origins.includes('*') ? '*' : undefined);
      const expecting = await served.open();
      expecting.end(`GET / HTTP/1.1\r\nHost: x\r\nOrigin: ${PAGE}\r\nExpect: x\r\n\r\n`);
      t.match(await text(expecting), /^HTTP\/1\.1 417 [^]*access-control-allow-origin: /i);
      const socket = await served.open();
      socket.end('NONSENSE\r\n\r\n');
      const raw = await text(socket);
      t.equal(/access-control-allow-origin: \*/i.test(raw), origins.includes('*'));
    },
  );
}
