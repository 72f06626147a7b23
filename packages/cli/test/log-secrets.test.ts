import { request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import { WebSocket } from 'ws';

/** One for each place, so that a leak says where it is; `good` counts, the others are as secret. */
const GOOD = 'key-good-1f6a0c';
const LOW = 'key-lowtier-77d1';
const NEXT = 'key-in-broken-file';

interface Line {
  readonly event?: string;
  readonly name?: string;
  readonly reqId?: string;
  readonly route?: string;
  readonly status?: number;
}

function send(
  url: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body = '',
  method = 'GET',
): Promise<number> {
  const { port } = new URL(url);
  const length = body === '' ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const options = { host: '127.0.0.1', port, path, method, headers: { ...headers, ...length }, agent: false };
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
    asked.on('error', reject).end(body);
  });
}

function sendRaw(url: string, bytes: string): Promise<void> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.end(bytes));
    socket.on('error', reject).on('close', () => {
      resolve();
    });
    socket.resume();
  });
}

/** Opens a WebSocket, sends the messages, closes it after the first answer or when it is closed. */
function stream(
  url: string,
  headers: Record<string, string>,
  messages: readonly (string | Buffer)[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on('open', () => {
      for (const message of messages) socket.send(message);
    });
    socket.on('message', () => {
      socket.close();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      resolve();
    });
  });
}

void t.test('no key is in anything that is logged, wherever it is put', async (t) => {
  const root = makePtnRoot(t, {
    keys: { good: { key: GOOD, tier: 100 }, low: { key: LOW, tier: 30 } },
    outputs: '{}',
  });
  const server = await startServer(t, { root: root.path, args: ['--log-level', 'trace'] });
  const { url, wsUrl } = server;
  const json = { 'Content-Type': 'application/json' };
  const bearer = { Authorization: `Bearer ${GOOD}` };

  t.equal(await send(url, '/miner-positions', bearer), 200);
  t.equal(await send(url, '/validator-checkpoint', { Authorization: `Bearer ${LOW}` }), 403);
  await send(url, '/miner-positions', { Authorization: `Bearer key-wrong-header` });
  await send(url, '/miner-positions', { Authorization: `Basic key-basic` });
  await send(url, `/miner-positions?api_key=${GOOD}&tier=key-as-tier`, bearer);
  await send(url, `/orders?since=key-as-since&token=${GOOD}`, bearer);
  await send(url, `/miner-positions/${GOOD}`, bearer);
  await send(url, `/statistics/${GOOD}/`);
  await send(url, `/${GOOD}/unknown?x=${GOOD}`, bearer);
  await send(url, `/%zz${GOOD}`, bearer);
  await send(url, `/miner-positions/${GOOD.repeat(20)}`, bearer);
  await send(url, '/miner-hotkeys', {
    ...{
      'X-Api-Key': GOOD,
      Cookie: `key=${GOOD}`,
      'X-Request-Id': GOOD,
      Referer: `http://x/?api_key=${GOOD}`,
    },
    'User-Agent': GOOD,
  });
  await send(url, '/miner-positions', { ...json, 'If-None-Match': GOOD }, JSON.stringify({ api_key: GOOD }));
  await send(url, '/miner-positions', json, `{"api_key": "${GOOD}`);
  await send(url, '/miner-positions', { 'Content-Type': GOOD }, `{"api_key": "${GOOD}"}`);
  await send(url, '/miner-positions', { ...json, ...bearer }, GOOD, 'POST');
  await send(url, '/miner-positions', { ...json, ...bearer }, GOOD.repeat(30_000));
  await sendRaw(url, `GET /${GOOD} HTTP/1.1\r\nAuthorization Bearer ${GOOD}\r\n\r\n`);
  await sendRaw(url, `${GOOD}\r\n\r\n`);
  await sendRaw(wsUrl, `GET /?api_key=${GOOD} HTTP/1.1\r\n${GOOD}\r\n\r\n`);
  await send(wsUrl.replace('ws', 'http'), `/?api_key=${GOOD}`, bearer);

  await stream(`${wsUrl}/?api_key=${GOOD}`, bearer, [JSON.stringify({ api_key: GOOD })]);
  await stream(wsUrl, {}, [JSON.stringify({ api_key: LOW })]);
  await stream(wsUrl, {}, [JSON.stringify({ api_key: 'key-unknown' })]);
  await stream(wsUrl, {}, [`{"api_key": "${GOOD}`]);
  await stream(wsUrl, {}, [GOOD]);
  await stream(wsUrl, {}, [Buffer.from(JSON.stringify({ key: GOOD }))]);
  await stream(wsUrl, {}, [JSON.stringify({ api_key: GOOD, last_sequence: GOOD })]);

  const lines = (): Line[] =>
    server
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  root.writeKeys(`{"good": {"key": "${GOOD}", "tier": 100}, "next": {"key": "${NEXT}" `);
  await waitFor(() => lines().some(({ event }) => event === 'keys-file-bad'), {
    what: 'the broken key file is logged',
  });
  await waitFor(() => lines().some(({ event }) => event === 'ws-closed'), { what: 'closing is logged' });
  await server.stop();

  const output = server.output();
  for (const secret of [
    ...[GOOD, LOW, NEXT, 'key-wrong-header', 'key-basic', 'key-as-tier', 'key-as-since', 'key-unknown'],
    ...['Bearer', 'api_key=', '"api_key'],
  ]) {
    const found = output.split('\n').filter((line) => line.includes(secret));
    t.same(found, [], `${secret} is nowhere`);
  }

  const requests = lines().filter(({ event }) => event === 'request');
  t.equal(requests.length, 17, 'one line for every request, also for those with a bad path or body');
  // Two processes write them, so their order is not that of the requests.
  t.match(
    requests.find(({ route, status }) => route === '/miner-positions' && status === 200),
    {
      level: 30,
      name: 'rest',
      user_id: 'good',
      method: 'GET',
      route: '/miner-positions',
      ms: Number,
      bytes: Number,
      reqId: String,
    },
  );
  t.match(
    requests.find(({ route }) => route === '/validator-checkpoint'),
    { user_id: 'low', status: 403 },
  );
  const refused = requests.filter(({ status }) => status === 401);
  t.ok(refused.length > 0 && refused.every((line) => !('user_id' in line)), 'a wrong key is nobody');
  t.match(
    requests.find(({ route }) => route?.startsWith('/miner-positions/:')),
    { status: 404 },
    'the route and not the path',
  );
  t.match(
    lines().find(({ event }) => event === 'ws-authenticated'),
    { user_id: 'good', connection: Number },
  );
  t.match(
    lines().find(({ event }) => event === 'ws-closed'),
    { user_id: 'good', ms: Number, closeCode: Number },
  );
});
