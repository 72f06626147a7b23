import t from 'tap';
import { BEARER, grant, keysTransaction, readFixture, testApp } from './rest-fixture.ts';

const UNAUTHORIZED = { error: 'Unauthorized access' };
const NOT_FOUND = { error: 'Resource not found' };

await t.test('a key counts in the header or, where there is none, in a JSON body', async (t) => {
  const { app } = testApp(t);
  const json = { 'content-type': 'application/json' };
  const good = '{"api_key": "key-tier100"}';
  const table: [
    name: string,
    headers: Record<string, string>,
    payload: string | undefined,
    status: number,
  ][] = [
    ['header', BEARER, undefined, 200],
    ['header in capitals', { authorization: 'BEARER key-tier100' }, undefined, 200],
    ['body', json, good, 200],
    ['body, type with parameters', { 'content-type': 'Application/JSON; charset=utf-8' }, good, 200],
    ['body, empty header', { ...json, authorization: '' }, good, 200],
    ['good body, bad header', { ...json, authorization: 'Bearer wrong' }, good, 401],
    ['good body, other scheme', { ...json, authorization: 'Basic eDp5' }, good, 401],
    ['good header, bad body', { ...json, ...BEARER }, '{"api_key": "wrong"}', 200],
    ['good header, empty body', { ...json, ...BEARER }, undefined, 200],
    ['good header, type that is none', { ...BEARER, 'content-type': 'json' }, 'x', 200],
    ['empty body', json, undefined, 401],
    ['null', json, 'null', 401],
    ['text', json, '"key-tier100"', 401],
    ['number as key', json, '{"api_key": 1}', 401],
    ['array as key', json, '{"api_key": ["key-tier100"]}', 401],
    ['empty key', json, '{"api_key": ""}', 401],
    ['key in the prototype', json, '{"__proto__": {"api_key": "key-tier100"}}', 401],
    ['form body', { 'content-type': 'application/x-www-form-urlencoded' }, 'api_key=key-tier100', 401],
    ['no type', {}, good, 401],
    ['prototype name as key', { authorization: 'Bearer __proto__' }, undefined, 401],
    ['comma-joined keys', { authorization: 'Bearer key-tier100, Bearer key-tier100' }, undefined, 401],
  ];
  for (const [name, headers, payload, status] of table) {
    const response = await app.inject({
      url: '/eliminations',
      headers,
      ...(payload === undefined ? {} : { payload }),
    });
    t.equal(response.statusCode, status, name);
    if (status === 401) {
      t.strictSame(response.json(), UNAUTHORIZED, name);
      t.equal(response.headers['www-authenticate'], 'Bearer', name);
    }
  }
});

await t.test('HEAD takes the key from the body too', async (t) => {
  const { app } = testApp(t);
  const response = await app.inject({
    method: 'HEAD',
    url: '/eliminations',
    headers: { 'content-type': 'application/json' },
    payload: '{"api_key": "key-tier100"}',
  });
  t.equal(response.statusCode, 200);
});

await t.test('an expired key and a removed key no longer count', async (t) => {
  const { app, snapshots } = testApp(t);
  const ask = async () => (await app.inject({ url: '/eliminations', headers: BEARER })).statusCode;
  snapshots.apply([keysTransaction([{ ...grant('key-tier100', 100), expiresMs: Date.now() + 3_600_000 }])]);
  t.equal(await ask(), 200);
  snapshots.apply([keysTransaction([{ ...grant('key-tier100', 100), expiresMs: Date.now() - 1 }])]);
  t.equal(await ask(), 401);
  snapshots.apply([keysTransaction([])]);
  t.equal(await ask(), 401);
});

await t.test('a hotkey is data: known ones are found, everything else is a 404 in JSON', async (t) => {
  const { app, logged } = testApp(t);
  const known =
    Object.keys(JSON.parse(readFixture('root/validation/outputs/output.json')) as object)[0] ?? '';
  const encoded = Buffer.from(known).toString('hex').replace(/../g, '%$&');
  t.equal((await app.inject({ url: `/miner-positions/${known}`, headers: BEARER })).statusCode, 200);
  t.equal(
    (await app.inject({ url: `/miner-positions/${encoded}`, headers: BEARER })).statusCode,
    200,
    'percent-encoded',
  );

  const missing = (name: string) => ({ error: `Miner ID ${name} not found` });
  const table: [path: string, body: { error: string }][] = [
    ['__proto__', missing('__proto__')],
    ['constructor', missing('constructor')],
    ['toString', missing('toString')],
    ['...', missing('...')],
    ['a'.repeat(128), missing('a'.repeat(128))],
    ['a'.repeat(129), NOT_FOUND],
    ['a'.repeat(10_000), NOT_FOUND],
    ['%61'.repeat(3000), NOT_FOUND],
    ['%', NOT_FOUND],
    ['%zz', NOT_FOUND],
    ['%c3%28', NOT_FOUND],
    ['%00', NOT_FOUND],
    ['%0d%0aX-Evil:1', NOT_FOUND],
    ['..%2f..%2fetc%2fpasswd', NOT_FOUND],
    ['..%5c..', NOT_FOUND],
    ['%3Cscript%3Ealert(1)%3C%2Fscript%3E', NOT_FOUND],
    ['%E2%98%83', NOT_FOUND],
    ['', NOT_FOUND],
  ];
  for (const route of ['miner-positions', 'statistics']) {
    for (const [path, body] of table) {
      const response = await app.inject({ url: `/${route}/${path}`, headers: BEARER });
      const label = `${route} ${path.slice(0, 40)}`;
      t.equal(response.statusCode, 404, label);
      t.strictSame(response.json(), body, label);
      t.match(response.headers, {
        'content-type': /^application\/json$/,
        'x-content-type-options': 'nosniff',
        'x-request-id': /./,
      });
    }
  }
  t.strictSame(logged, []);
});

await t.test('a client of the first generation is told an unknown miner in its words', async (t) => {
  const { app } = testApp(t);
  const body = { headers: { 'content-type': 'application/json' }, payload: '{"api_key": "key-tier100"}' };
  for (const url of ['/miner-positions/nobody', '/statistics/nobody/']) {
    t.strictSame((await app.inject({ url, ...body })).json(), { error: 'Miner ID not found' });
    t.strictSame((await app.inject({ url, headers: BEARER })).json(), { error: 'Miner ID nobody not found' });
  }
});

await t.test('a wrong method is refused with Allow, before key and body', async (t) => {
  const { app } = testApp(t);
  for (const url of [
    '/miner-positions',
    '/miner-positions/changes',
    '/miner-positions/x',
    '/statistics/x',
    '/healthz',
  ]) {
    for (const method of [
      'POST',
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
      'TRACE',
      'PROPFIND',
      'QUERY',
    ] as const) {
      const response = await app.inject({
        // inject knows fewer methods by type than the parser does.
        method: method as 'POST',
        url,
        headers: { 'content-type': 'no type at all' },
        payload: 'x'.repeat(300_000),
      });
      t.equal(response.statusCode, 405, `${method} ${url}`);
      t.equal(response.headers.allow, 'GET, HEAD');
      t.strictSame(response.json(), { error: 'Method not allowed' });
    }
  }
  t.equal((await app.inject({ method: 'POST', url: '/nothing' })).statusCode, 404);
  t.equal((await app.inject({ method: 'POST', url: '/miner-positions/%3Cb%3E' })).statusCode, 404);
});

await t.test('a path of its own is not taken for the parameter of another', async (t) => {
  const { app } = testApp(t);
  // Beside /entity/{hotkey} and /entity/subaccount/{hotkey}, which have GET.
  for (const url of ['/entity/register', '/entity/subaccount/payout?x=1']) {
    for (const method of ['GET', 'HEAD', 'PUT'] as const) {
      const response = await app.inject({ method, url, headers: BEARER });
      t.match([response.statusCode, response.headers.allow], [405, 'POST'], `${method} ${url}`);
    }
  }
  t.equal((await app.inject({ url: '/entity/registe', headers: BEARER })).statusCode, 403);
});

await t.test('a refused method is logged with its route', async (t) => {
  const { app, requests } = testApp(t);
  for (const url of ['/miner-positions/x', '/entity/register', '/nothing'])
    await app.inject({ method: 'LINK' as 'PUT', url });
  t.same(
    requests.map(({ route }) => route),
    ['/miner-positions/:hotkey(^[\\w.:-]+$)', '/entity/register', 'none'],
  );
});

await t.test('a body over 256 KB is refused', async (t) => {
  const { app } = testApp(t);
  const send = (payload: string) =>
    app.inject({ url: '/eliminations', headers: { ...BEARER, 'content-type': 'application/json' }, payload });
  t.equal((await send('x'.repeat(256 * 1024))).statusCode, 200);
  const response = await send('x'.repeat(256 * 1024 + 1));
  t.equal(response.statusCode, 413);
  t.strictSame(response.json(), { error: 'Request body is larger than 256 KB' });
});

await t.test('the request id is never what the client sent: a key could be tried by it', async (t) => {
  const { app } = testApp(t);
  for (const given of ['abc-1.2_3', 'key-tier100', 'a b', 'x'.repeat(65), ''])
    for (const headers of [{}, BEARER]) {
      const answer = await app.inject({
        url: '/eliminations',
        headers: { ...headers, 'x-request-id': given },
      });
      t.match(answer.headers['x-request-id'], /^[0-9a-f]{8}-[0-9a-f-]{27}$/, given);
    }
});

await t.test('a fault is logged with its request id and told without detail', async (t) => {
  const { app, snapshots, logged } = testApp(t);
  snapshots.document = () => {
    throw new Error('secret detail');
  };
  const response = await app.inject({ url: '/eliminations', headers: BEARER });
  t.equal(response.statusCode, 500);
  t.strictSame(response.json(), { error: 'Internal server error' });
  const reqId = response.headers['x-request-id'];
  t.match(logged, [{ level: 50, reqId, event: 'request-fault', err: { message: 'secret detail' } }]);
  t.notMatch(JSON.stringify(logged), /key-tier100/);
});
