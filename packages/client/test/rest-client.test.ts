import { inspect } from 'node:util';
import { PtnRestClient, PtnRestError } from '@ptn-api/client';
import t from 'tap';
import { fakeServer, sendJson } from './rest-fixture.ts';

const apiKey = 'the-secret-key';

async function errorOf(promise: Promise<unknown>): Promise<PtnRestError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof PtnRestError) return error;
    throw error;
  }
  throw new Error('the request did not fail');
}

await t.test(
  'a route is asked for under the path of the url, with the key in the header alone',
  async (t) => {
    const { url, requests } = await fakeServer(t, (_request, response) => {
      sendJson(response, {});
    });
    const client = new PtnRestClient({ url: `${url}/api/`, apiKey });
    await client.positions({ tier: 30 });
    await client.minerStatistics('5Hot/key', { checkpoints: false });
    await client.orders({ since: 7, limit: 3 });
    await client.positionsChanges({ since: 9 });
    t.same(
      requests.map((request) => request.url),
      [
        '/api/miner-positions?tier=30',
        '/api/statistics/5Hot%2Fkey?checkpoints=false',
        '/api/orders?since=7&limit=3',
        '/api/miner-positions/changes?since=9&tier=100',
      ],
    );
    t.ok(requests.every(({ headers }) => headers.authorization === `Bearer ${apiKey}`));
  },
);

await t.test('what the answer is complete to comes from its headers', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    sendJson(response, { a: 1 }, { 'X-Sequence': '12', 'X-Epoch': 'log-1', 'X-Generation': '1763000000000' });
  });
  t.same(await new PtnRestClient({ url, apiKey }).positions(), {
    value: { a: 1 },
    sequence: 12,
    epoch: 'log-1',
    generation: 1_763_000_000_000,
    isNotModified: false,
  });
});

await t.test('headers that are missing or no numbers are null', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    sendJson(response, {}, { 'X-Sequence': '-1', 'X-Generation': '' });
  });
  const { sequence, epoch, generation } = await new PtnRestClient({ url, apiKey }).eliminations();
  t.same([sequence, epoch, generation], [null, null, null]);
});

await t.test('an answer is revalidated, and a 304 gives the kept value with the new headers', async (t) => {
  let generation = 0;
  const { url, requests } = await fakeServer(t, (request, response) => {
    generation += 1;
    const headers = { ETag: '"one"', 'X-Generation': String(generation) };
    if (request.headers['if-none-match'] === '"one"') response.writeHead(304, headers).end();
    else sendJson(response, { big: true }, headers);
  });
  const client = new PtnRestClient({ url, apiKey });
  const first = await client.positions();
  const second = await client.positions();
  t.equal(second.value, first.value, 'the same object, not read again');
  t.same([first.isNotModified, second.isNotModified], [false, true]);
  t.equal(second.generation, 2);
  t.same(
    requests.map(({ headers }) => headers['if-none-match']),
    [undefined, '"one"'],
  );
});

await t.test('a changed answer replaces the kept one', async (t) => {
  let count = 0;
  const { url, requests } = await fakeServer(t, (_request, response) => {
    count += 1;
    sendJson(response, { count }, { ETag: `"${count}"` });
  });
  const client = new PtnRestClient({ url, apiKey });
  await client.positions();
  const second = await client.positions();
  t.match(second, { value: { count: 2 }, isNotModified: false });
  await client.positions();
  t.equal(requests[2]?.headers['if-none-match'], '"2"');
});

await t.test('only so many answers are kept: the least recently used is asked for as a whole', async (t) => {
  const { url, requests } = await fakeServer(t, (request, response) => {
    const etag = `"${request.url ?? ''}"`;
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { ETag: etag }).end();
    else sendJson(response, {}, { ETag: etag });
  });
  const client = new PtnRestClient({ url, apiKey, keptAnswers: 2 });
  for (const hotkey of ['a', 'b', 'a', 'c', 'a', 'b']) await client.minerPositions(hotkey);
  t.same(
    requests.map(({ headers }) => headers['if-none-match'] !== undefined),
    [false, false, true, false, true, false],
  );
});

await t.test('changes are not kept: each generation has a URL of its own', async (t) => {
  const { url, requests } = await fakeServer(t, (_request, response) => {
    sendJson(response, {}, { ETag: '"x"' });
  });
  const client = new PtnRestClient({ url, apiKey });
  await client.positionsChanges({ since: 1 });
  await client.positionsChanges({ since: 1 });
  t.equal(requests[1]?.headers['if-none-match'], undefined);
});

await t.test('a refusal is reported with status, code, text, request id and when to try again', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    const headers = { 'X-Request-Id': 'id-1', 'Retry-After': '2' };
    sendJson(response, { error: 'Data is being loaded, try again in a few seconds' }, headers, 503);
  });
  const error = await errorOf(new PtnRestClient({ url, apiKey }).positions());
  t.match(error, {
    status: 503,
    code: 'PTN_ERR_HTTP_LOADING',
    requestId: 'id-1',
    retryAfterMs: 2000,
    isTemporary: true,
  });
  t.match(error.message, /GET \/miner-positions: Data is being loaded.*503/);
});

await t.test('texts with values in them name their code, too', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    sendJson(response, { error: 'Miner ID abc not found' }, {}, 404);
  });
  const error = await errorOf(new PtnRestClient({ url, apiKey }).minerPositions('abc'));
  t.match(error, { code: 'PTN_ERR_MINER_NOT_FOUND', isTemporary: false });
});

await t.test('an error page of a proxy has no code', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad gateway</h1>');
  });
  const error = await errorOf(new PtnRestClient({ url, apiKey }).hotkeys());
  t.match(error, { status: 502, code: null, requestId: null, retryAfterMs: null, isTemporary: true });
});

await t.test('an answer that is not JSON is an error with its cause', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    response.end('{"cut');
  });
  const error = await errorOf(new PtnRestClient({ url, apiKey }).statistics());
  t.match(error, { status: 200, message: /not JSON/ });
  t.type(error.cause, SyntaxError);
});

await t.test('a 304 that was not asked for is an error, no empty value', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    response.writeHead(304).end();
  });
  t.match(await errorOf(new PtnRestClient({ url, apiKey }).positions()), { status: 304 });
});

await t.test('a server that takes too long is given up, also in the middle of its answer', async (t) => {
  const { url } = await fakeServer(t, (request, response) => {
    if (request.url === '/miner-hotkeys') response.writeHead(200).write('["a"');
  });
  const client = new PtnRestClient({ url, apiKey, timeoutMs: 50 });
  for (const request of [client.positions(), client.hotkeys()]) {
    const error = await errorOf(request);
    t.match(error, { status: null, isTemporary: true, message: /no complete answer within 50 ms/ });
    t.type(error.cause, Error);
  }
});

await t.test('a server that is not there is an error with its cause and without the key', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => response.destroy());
  const error = await errorOf(new PtnRestClient({ url, apiKey }).positions());
  t.match(error, { status: null, code: null, isTemporary: true });
  t.type(error.cause, Error);
  t.notMatch(inspect(error, { depth: 10, showHidden: true }), apiKey);
});

await t.test('a refused key is not in the error', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    sendJson(response, { error: 'Unauthorized access' }, {}, 401);
  });
  const client = new PtnRestClient({ url, apiKey });
  const error = await errorOf(client.positions());
  t.match(error, { code: 'PTN_ERR_AUTH_UNAUTHORIZED', isTemporary: false });
  t.notMatch(inspect([error, client], { depth: 10, showHidden: true }), apiKey);
});

await t.test('an aborted request rejects with the reason of the signal', async (t) => {
  const reason = new Error('no longer wanted');
  const aborting = new AbortController();
  const { url } = await fakeServer(t, () => {
    aborting.abort(reason);
  });
  const client = new PtnRestClient({ url, apiKey });
  await t.rejects(client.positions({ signal: aborting.signal }), reason);
  await t.rejects(client.positions({ signal: aborting.signal }), reason, 'and is not sent again');
});

await t.test('readiness sends no key and takes 503 for an answer', async (t) => {
  const { url, requests } = await fakeServer(t, (_request, response) => {
    sendJson(response, { status: 'degraded', reasons: ['draining'] }, {}, 503);
  });
  t.same(await new PtnRestClient({ url, apiKey }).readiness(), { isReady: false, reasons: ['draining'] });
  t.equal(requests[0]?.headers.authorization, undefined);
});

await t.test('options that cannot be used are named', (t) => {
  const url = 'http://127.0.0.1:1';
  t.throws(() => new PtnRestClient({ url: 'localhost', apiKey }), /^url must/);
  t.throws(() => new PtnRestClient({ url: 'ftp://host', apiKey }), /url must begin with http/);
  t.throws(() => new PtnRestClient({ url: `${url}/?key=x`, apiKey }), /query/);
  t.throws(() => new PtnRestClient({ url, apiKey: '' }), /apiKey/);
  t.throws(() => new PtnRestClient({ url, apiKey: 'two words' }), /apiKey/);
  t.throws(() => new PtnRestClient({ url, apiKey, timeoutMs: 0 }), /timeoutMs/);
  t.throws(() => new PtnRestClient({ url, apiKey, timeoutMs: NaN }), /timeoutMs/);
  t.throws(() => new PtnRestClient({ url, apiKey, keptAnswers: -1 }), /keptAnswers/);
  t.end();
});

await t.test('Retry-After as a date is reported in ms from now', async (t) => {
  const { url } = await fakeServer(t, (_request, response) => {
    sendJson(response, {}, { 'Retry-After': new Date(Date.now() + 60_000).toUTCString() }, 429);
  });
  const { retryAfterMs } = await errorOf(new PtnRestClient({ url, apiKey }).positions());
  t.ok(retryAfterMs !== null && retryAfterMs > 50_000 && retryAfterMs <= 60_000, String(retryAfterMs));
});
