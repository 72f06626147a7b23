/** What only the validator's own server can answer, passed on to a stand-in for it. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { AddressLimit } from '@ptn-api/access';
import { freePort } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { RequestCounts } from '../dist/request-counts.js';
import { FORWARDED_ROUTES } from '../dist/forwarding/forwarded-routes.js';
import { BEARER, fixtureTransactions, grant, keysTransaction, testApp } from './rest-fixture.ts';
import { serve } from './rest-served.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Loopback has no limit. */
const FROM = { remoteAddress: '203.0.113.7' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** A server that notes what it is asked, and answers as it is reported. */
async function startTarget(t: Test, answer: RequestListener) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, headers, body: Buffer.concat(pieces).toString() });
      answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** An app with keys of all tiers that passes on to `origin`. */
function forwardingApp(t: Test, origin: string | undefined, timeoutMs = 20_000) {
  const app = testApp(t, fixtureTransactions(), undefined, {
    ...(origin !== undefined && { forward: { origin, timeoutMs } }),
  });
  app.snapshots.apply([
    keysTransaction([
      grant('key-tier100', 100),
      grant('key-tier200', 200),
      grant('key-tier500', 500),
      grant('key-tier50', 50),
    ]),
  ]);
  return app;
}

const echo: RequestListener = (_request, response) => {
  response.writeHead(200, JSON_TYPE).end('{"ok": true}');
};

await t.test('method, query, body, key and other headers arrive as they were sent', async (t) => {
  const { asked, origin } = await startTarget(t, echo);
  const { app } = forwardingApp(t, origin);
  // Blanks that JSON does not need, and a name in another script: the bytes are signed.
  const body = '{"version":  "1.0.5", "signature": "ab\u00e9"}';
  const answer = await app.inject({
    method: 'POST',
    url: '/collateral/withdraw?dry=1&x=%2F..%2F',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-signature': 'abc',
      authorization: 'Bearer unknown-here',
      connection: 'x-hop',
      'x-hop': '1',
      te: 'trailers',
    },
    payload: body,
  });
  t.equal(answer.statusCode, 200);
  t.equal(answer.body, '{"ok": true}');
  t.equal(answer.headers['content-type'], 'application/json');
  t.ok(answer.headers['x-request-id']);
  t.match(asked, [{ method: 'POST', url: '/collateral/withdraw?dry=1&x=%2F..%2F', body }]);
  t.match(asked[0]?.headers, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'x-signature': 'abc',
    authorization: 'Bearer unknown-here',
    host: new URL(origin).host,
  });
  for (const name of ['x-hop', 'te'])
    t.equal(asked[0]?.headers[name], undefined, `${name} is of the connection`);

  await app.inject({
    method: 'POST',
    url: '/asset-selection',
    headers: { 'content-type': 'text/plain' },
    payload: 'x',
  });
  t.match(asked[1], { body: 'x', headers: { 'content-type': 'text/plain' } });
  await app.inject({ method: 'POST', url: '/asset-selection', payload: '' });
  t.match(asked[2], { body: '' });
  t.equal(asked[2]?.headers['content-type'], undefined);
  await app.inject({ method: 'HEAD', url: '/trade-pairs?pro=true' });
  t.match(asked[3], { method: 'HEAD', url: '/trade-pairs?pro=true' });
});

await t.test('status, body and encoding of the answer come back; other headers do not', async (t) => {
  const gzip = gzipSync('{"error": "Failed to retrieve collateral balance"}');
  const { origin } = await startTarget(t, (_request, response) => {
    response
      .writeHead(500, {
        ...JSON_TYPE,
        'Content-Encoding': 'gzip',
        Server: 'waitress',
        'Set-Cookie': 'a=b',
        ETag: '"x"',
      })
      .end(gzip);
  });
  const { app } = forwardingApp(t, origin);
  const answer = await app.inject('/collateral/balance/5A');
  t.equal(answer.statusCode, 500);
  t.equal(gunzipSync(answer.rawPayload).toString(), '{"error": "Failed to retrieve collateral balance"}');
  t.match(answer.headers, { 'content-encoding': 'gzip', etag: '"x"' });
  for (const name of ['server', 'set-cookie']) t.equal(answer.headers[name], undefined);
});

await t.test('without a target every route says what to do, in its turn', async (t) => {
  const { app } = forwardingApp(t, undefined);
  for (const { method, route, minTier } of FORWARDED_ROUTES) {
    const url = route.replace(/\{\w+\}/g, '5A_1');
    const answer = await app.inject({ method, url, headers: { authorization: 'Bearer key-tier500' } });
    t.equal(answer.statusCode, 501, `${method} ${url}`);
    t.match(answer.json<{ error: string }>().error, /--forward-to/);
    t.match(answer.json<{ error: string }>().error, url);
    if (minTier !== undefined)
      t.equal((await app.inject({ method, url })).statusCode, 401, `${url} needs a key`);
  }
  const history = await app.inject({ url: '/challenge-period/5A?history=true', headers: BEARER });
  t.equal(history.statusCode, 501, 'half of a route is only known to the validator');
});

await t.test('keys are checked here first, where a route needs one', async (t) => {
  const { asked, origin } = await startTarget(t, echo);
  const { app } = forwardingApp(t, origin);
  const status = async (method: 'GET' | 'POST', url: string, key: string) => {
    const answer = await app.inject({ method, url, headers: { authorization: `Bearer ${key}` } });
    return [answer.statusCode, answer.json<{ error?: string }>().error];
  };
  t.same(await status('POST', '/development/order', 'key-tier100'), [
    403,
    'Development order endpoint requires tier 200 access',
  ]);
  t.same(await status('GET', '/entity/subaccount/5A_0', 'key-tier100'), [
    403,
    'Your API key does not have access to tier 200 data',
  ]);
  t.same(await status('GET', '/miner/5A', 'key-tier50'), [
    403,
    'Your API key does not have access to tier 100 data',
  ]);
  t.same(await status('POST', '/wipe/5A', 'key-tier200'), [
    403,
    'Your API key does not have access to tier 500 data',
  ]);
  t.same(asked, []);
  t.same(await status('POST', '/wipe/5A', 'key-tier500'), [200, undefined]);
  t.same(await status('GET', '/challenge-period/5A?history=TRUE', 'key-tier50'), [200, undefined]);
  t.same(
    asked.map(({ url }) => url),
    ['/wipe/5A', '/challenge-period/5A?history=TRUE'],
  );
});

await t.test('other methods are refused with those that there are', async (t) => {
  const { asked, origin } = await startTarget(t, echo);
  const { app } = forwardingApp(t, origin);
  const get = await app.inject('/collateral/deposit');
  t.match([get.statusCode, get.headers.allow], [405, 'POST']);
  const post = await app.inject({ method: 'POST', url: '/trade-pairs' });
  t.match([post.statusCode, post.headers.allow], [405, 'GET, HEAD']);
  const put = await app.inject({ method: 'PUT', url: '/admin/5A/positions/x' });
  t.match([put.statusCode, put.headers.allow], [405, 'DELETE, PATCH']);
  t.same(asked, []);
});

await t.test('no path reaches the target but those of the table', async (t) => {
  const { asked, origin } = await startTarget(t, echo);
  const { port } = await serve(t, forwardingApp(t, origin));
  // Not by inject or fetch, which put paths in order first.
  const get = async (path: string): Promise<number> => {
    const headers = { authorization: 'Bearer key-tier500' };
    const [answer] = (await once(request({ port, path, headers }).end(), 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode ?? 0;
  };
  for (const path of [
    '/collateral/balance/..',
    '/collateral/balance/.',
    '/collateral/balance/%2e%2e',
    '/collateral/balance/..%2fdeposit',
    '/collateral/balance/a%2f..%2fb',
    '/collateral/balance/a%5cb',
    '/collateral/balance/a%zz',
    '/collateral/balance/http:%2f%2fexample.com',
    '/collateral/balance/%00',
    '/collateral/balance/',
    '/collateral/balance/5A/../../trade-pairs',
    '//example.com/trade-pairs',
    '//trade-pairs',
    '/./trade-pairs',
    '/trade-pairs/',
    '/trade-pairs;x',
    '/trade-pairs%3fx',
    '/TRADE-PAIRS',
    '/hl-traders/../trade-pairs',
    '/hl-traders/a/limits/b',
    '/hl-traders/a@example.com:80/limits',
    `/collateral/balance/${'a'.repeat(200)}`,
    '/challenge-period/..?history=true',
    '/challenge-period/%2e?history=true',
  ])
    t.equal(await get(path), 404, path);
  t.same(asked, []);
  await get('/collateral/balance/5A%5F1?next=http://example.com/../');
  t.match(asked, [{ url: '/collateral/balance/5A_1?next=http://example.com/../' }], 'a query is data');
  // An absolute address in the request line, as a proxy is asked.
  await get('http://example.com/trade-pairs?a=1');
  t.match(asked[1], { url: '/trade-pairs?a=1', headers: { host: new URL(origin).host } });
});

await t.test('a target that is down, or goes away in the middle', async (t) => {
  const { app, logged } = forwardingApp(t, `http://127.0.0.1:${await freePort()}`);
  for (let count = 0; count < 3; count++) {
    const answer = await app.inject('/trade-pairs');
    t.equal(answer.statusCode, 502);
    t.match(answer.json(), { error: /cannot be reached/ });
    t.notMatch(answer.body, /127\.0\.0\.1|ECONN/, 'nothing of the machine');
  }
  t.match(logged, [{ event: 'forward-failed', err: { message: /ECONNREFUSED/ } }], 'is logged once');

  let isCut = true;
  const { origin } = await startTarget(t, (_request, response) => {
    response.writeHead(200, JSON_TYPE);
    if (isCut) response.write('{"half": ', () => response.destroy());
    else response.end('{"whole": 1}');
  });
  const cut = forwardingApp(t, origin);
  const answer = await cut.app.inject('/trade-pairs');
  t.equal(answer.statusCode, 502);
  t.match(answer.json(), { error: /cannot be reached/ });
  isCut = false;
  t.same((await cut.app.inject('/trade-pairs')).json(), { whole: 1 });
  t.match(cut.logged, [{ event: 'forward-failed' }, { event: 'forward-works-again' }]);

  const nonsense = createTcpServer((socket) => socket.end('no HTTP\r\n\r\n'));
  nonsense.listen(0, '127.0.0.1');
  await once(nonsense, 'listening');
  t.teardown(() => nonsense.close());
  const other = forwardingApp(t, `http://127.0.0.1:${(nonsense.address() as AddressInfo).port}`);
  t.equal((await other.app.inject('/trade-pairs')).statusCode, 502);
});

await t.test('a target that is slow: to begin, and to end', async (t) => {
  let begins = false;
  const { origin, asked } = await startTarget(t, (_request, response) => {
    if (!begins) return;
    response.writeHead(200, JSON_TYPE);
    const timer = setInterval(() => response.write(' '), 100);
    response.once('close', () => {
      clearInterval(timer);
    });
  });
  const { app } = forwardingApp(t, origin, 1000);
  const never = await app.inject({ method: 'POST', url: '/collateral/deposit', payload: 'x' });
  t.equal(never.statusCode, 504);
  t.match(never.json(), { error: /did not answer within 1 s\. What was asked of it may still be done/ });
  t.equal(asked.length, 1, 'it is not asked again');
  begins = true;
  t.equal((await app.inject('/trade-pairs')).statusCode, 504, 'drops without an end are no answer');
});

await t.test('answers that are no JSON, or too large, are not passed back', async (t) => {
  const { origin } = await startTarget(t, ({ url = '' }, response) => {
    if (url.startsWith('/trade-pairs')) {
      response
        .writeHead(404, { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=9' })
        .end('<h1>nginx</h1>');
    } else if (url.startsWith('/hl-leaderboard')) {
      response.writeHead(200, JSON_TYPE);
      const piece = Buffer.alloc(2 ** 20, 0x20);
      let count = 0;
      const next = (): void => {
        if (response.destroyed) return;
        if ((count += 1) > 40) response.end();
        else response.write(piece, next);
      };
      next();
    } else response.writeHead(204).end();
  });
  const { app } = forwardingApp(t, origin);
  const html = await app.inject('/trade-pairs');
  t.equal(html.statusCode, 502);
  t.match(html.json(), { error: /sent something that is not JSON, with status 404$/ });
  t.equal(html.headers['cache-control'], 'no-store');
  const huge = await app.inject('/hl-leaderboard');
  t.equal(huge.statusCode, 502);
  t.match(huge.json(), { error: /sent more than 16 MiB$/ });
  t.equal((await app.inject('/api/health/rpc')).statusCode, 204, 'no body is none');
});

await t.test('a server error of the target is not asked for again', async (t) => {
  const { origin, asked } = await startTarget(t, (_request, response) => {
    response.writeHead(503, { ...JSON_TYPE, 'Retry-After': '1' }).end('{"error": "not available"}');
  });
  const { app } = forwardingApp(t, origin);
  const answer = await app.inject('/trade-pairs');
  t.match([answer.statusCode, answer.headers['retry-after']], [503, '1']);
  t.equal(asked.length, 1);
});

await t.test('more than 32 at a time are refused, and the next ones are not', async (t) => {
  const held: (() => void)[] = [];
  const { origin } = await startTarget(t, (request, response) => {
    held.push(() => {
      echo(request, response);
    });
  });
  const { app } = forwardingApp(t, origin);
  const answers = Array.from({ length: 33 }, () => app.inject('/trade-pairs'));
  const refused = await Promise.race(answers);
  t.equal(refused.statusCode, 503);
  while (held.length < 32) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const go of held) go();
  const statuses = (await Promise.all(answers)).map(({ statusCode }) => statusCode).sort();
  t.same(statuses, [...Array.from({ length: 32 }, () => 200), 503]);
  const again = app.inject('/trade-pairs');
  while (held.length < 33) await new Promise((resolve) => setTimeout(resolve, 5));
  held.at(-1)?.();
  t.equal((await again).statusCode, 200);
});

await t.test('who sends no key is limited by address, also with a body', async (t) => {
  const { asked, origin } = await startTarget(t, echo);
  const config = { requestsPerMinute: 2, trustedProxies: [], corsOrigins: [] };
  const counts = new RequestCounts({ pid: 1, publish: () => undefined, now: Date.now });
  const { app } = testApp(t, fixtureTransactions(), undefined, {
    forward: { origin, timeoutMs: 1000 },
    limits: { config, counts, failures: new AddressLimit(0, []), unauthenticated: new AddressLimit(3, []) },
  });
  const post = async () =>
    (
      await app.inject({
        ...FROM,
        method: 'POST',
        url: '/asset-selection',
        headers: JSON_TYPE,
        payload: '{}',
      })
    ).statusCode;
  t.same([await post(), await post(), await post(), await post()].slice(2), [200, 429]);
  t.equal((await app.inject({ ...FROM, url: '/trade-pairs' })).statusCode, 429, 'all its requests count');
  const withKey = async () => (await app.inject({ ...FROM, url: '/miner/5A', headers: BEARER })).statusCode;
  t.same([await withKey(), await withKey(), await withKey()], [200, 200, 429], 'keys have their own limit');
  t.equal(asked.length, 5);
});

await t.test('a body above 256 KB is refused before the target is asked', async (t) => {
  const { asked, origin } = await startTarget(t, echo);
  const { app } = forwardingApp(t, origin);
  const answer = await app.inject({
    method: 'POST',
    url: '/collateral/deposit',
    headers: JSON_TYPE,
    payload: 'x'.repeat(256 * 1024 + 1),
  });
  t.equal(answer.statusCode, 413);
  t.same(asked, []);
});

await t.test(
  'pages of other origins may use the methods of each route, and read what it answers',
  async (t) => {
    const { origin } = await startTarget(t, ({ url = '' }, response) => {
      const isJson = !url.startsWith('/hl-leaderboard');
      const type = isJson ? 'application/json' : 'text/html';
      response.writeHead(200, { 'Content-Type': type, Vary: 'Accept-Encoding' }).end('{"ok": true}');
    });
    const page = 'https://page.example';
    const counts = new RequestCounts({ pid: 1, publish: () => undefined, now: Date.now });
    for (const forward of [{ origin, timeoutMs: 20_000 }, undefined]) {
      const { app } = testApp(t, fixtureTransactions(), undefined, {
        forward,
        limits: {
          config: { requestsPerMinute: 100, trustedProxies: [], corsOrigins: [page] },
          counts,
          failures: new AddressLimit(0, []),
        },
      });
      const preflight = async (url: string, from = page) => {
        const headers = { origin: from, 'access-control-request-method': 'POST' };
        const answer = await app.inject({ method: 'OPTIONS', url, headers });
        const { 'access-control-allow-origin': allowed, 'access-control-allow-methods': methods } =
          answer.headers;
        return [answer.statusCode, allowed, methods];
      };
      t.same(await preflight('/collateral/deposit'), [204, page, 'POST']);
      t.same(await preflight('/admin/5A/positions/x'), [204, page, 'DELETE, PATCH']);
      t.same(await preflight('/trade-pairs'), [204, page, 'GET, HEAD']);
      t.same(await preflight('/miner-positions'), [204, page, 'GET, HEAD'], 'a route of its own');
      t.equal((await preflight('/collateral/deposit', 'https://other.example'))[1], undefined);
      for (const [method, url, status, vary] of [
        ['POST', '/collateral/deposit', 200, 'Origin, Accept-Encoding'],
        ['GET', '/hl-leaderboard', 502, 'Origin'],
      ] as const) {
        const answer = await app.inject({ method, url, headers: { origin: page } });
        t.equal(answer.statusCode, forward === undefined ? 501 : status);
        t.equal(answer.headers['access-control-allow-origin'], page);
        t.equal(answer.headers.vary, forward === undefined ? 'Origin' : vary);
      }
    }
  },
);

await t.test('answers that are odd are passed back as they are, or are no answer', async (t) => {
  const huge = { 'X-Huge': 'x'.repeat(64 * 1024) };
  const rows: readonly [what: string, answer: RequestListener, status: number, error?: RegExp][] = [
    ['no content', (_request, response) => response.writeHead(204).end(), 204],
    ['not modified', (_request, response) => response.writeHead(304, { ETag: '"a"' }).end(), 304],
    [
      'hints before the answer',
      (request, response) => {
        response.writeEarlyHints({ link: '</x>; rel=preload' });
        echo(request, response);
      },
      200,
    ],
    [
      'in chunks, with trailers',
      (_request, response) => {
        response.writeHead(200, { ...JSON_TYPE, Trailer: 'X-Sum' });
        response.write('{"ok": ');
        response.addTrailers({ 'X-Sum': '1' });
        response.end('true}');
      },
      200,
    ],
    [
      'a redirect to elsewhere',
      (_request, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end(),
      502,
      /sent a redirect, with status 302$/,
    ],
    [
      'a redirect with a page',
      (_request, response) =>
        response.writeHead(308, { Location: '/x', 'Content-Type': 'text/html' }).end('<p>there'),
      502,
      /sent a redirect, with status 308$/,
    ],
    [
      'another protocol',
      (_request, response) => {
        response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
      },
      502,
      /cannot be reached/,
    ],
    [
      'only that it goes on',
      (_request, response) => {
        response.socket?.end('HTTP/1.1 100 Continue\r\n\r\n');
      },
      502,
      /cannot be reached/,
    ],
    [
      'a status that is none',
      (_request, response) => {
        response.socket?.end('HTTP/1.1 999 No\r\nContent-Length: 2\r\n\r\n{}');
      },
      502,
      /cannot be reached/,
    ],
    [
      'a body that ends before its length',
      (_request, response) => {
        response.socket?.end(
          'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"half"',
        );
      },
      502,
      /cannot be reached/,
    ],
    [
      'headers of 64 KB',
      (_request, response) => response.writeHead(200, { ...JSON_TYPE, ...huge }).end('{}'),
      502,
      /cannot be reached/,
    ],
  ];
  let answer: RequestListener = echo;
  const { origin, asked } = await startTarget(t, (request, response) => {
    answer(request, response);
  });
  const { app, logged } = forwardingApp(t, origin);
  for (const [what, next, status, error] of rows) {
    answer = next;
    const given = await app.inject('/trade-pairs');
    t.equal(given.statusCode, status, what);
    if (error !== undefined) t.match(given.json<{ error: string }>().error, error, what);
    else if (status === 200) t.equal(given.body, '{"ok": true}', what);
    else t.equal(given.body, '', what);
    for (const name of ['location', 'link', 'trailer', 'x-huge'])
      t.equal(given.headers[name], undefined, what);
    if (status === 304) t.equal(given.headers.etag, '"a"');
    answer = echo;
    t.equal((await app.inject('/trade-pairs')).statusCode, 200, `the next one after ${what}`);
  }
  t.equal(asked.length, 2 * rows.length, 'nothing is asked a second time');
  t.same(
    logged.filter(
      ({ event }) => event !== 'forward-failed' && event !== 'forward-works-again' && event !== 'request',
    ),
    [],
  );
});

await t.test('a client that ends its side behind a body gets what the target answers', async (t) => {
  const { origin, asked } = await startTarget(t, (request, response) => {
    setImmediate(() => {
      echo(request, response);
    });
  });
  const served = await serve(t, forwardingApp(t, origin));
  const socket = await served.open();
  socket.end(
    'POST /asset-selection HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
  );
  t.match(await text(socket), /^HTTP\/1\.1 200 [^]*\r\n\r\n\{"ok": true\}$/);
  t.match(asked, [{ method: 'POST', body: '{}' }]);
});
