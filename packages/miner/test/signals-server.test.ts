import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import { createLogger } from '@ptn-api/runtime';
import t from 'tap';
import { keyDigest, makeMiningFolder, miningFolder, signalsServer } from '../dist/index.js';
import type { SignalsServerOptions } from '../dist/index.js';
import type { TestScope } from '@ptn-api/testkit';

const KEY = 'xxxx-that-no-log-may-show';
const GOOD = { trade_pair: 'BTCUSD', order_type: 'LONG', leverage: 0.1, api_key: KEY };

async function server(scope: TestScope, changes: Partial<SignalsServerOptions> = {}) {
  const folder = miningFolder(join(makeTemporaryFolder(scope), 'mining'));
  await makeMiningFolder(folder);
  const lines: string[] = [];
  const app = await signalsServer({
    folder,
    generation: 'ptn',
    apiKeyDigest: keyDigest(KEY),
    allowedAddresses: [],
    trustedProxies: [],
    requestsPerMinute: 100_000,
    log: createLogger({ name: 'test', level: 'debug', destination: { write: (line) => lines.push(line) } }),
    ...changes,
  });
  scope.teardown(() => app.close());
  const post = (payload: string | object, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/api/receive-signal',
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    });
  return { app, folder, lines, post, files: () => readdirSync(folder.received) };
}

void t.test('requests over HTTP are answered as the Python server answered them', async (t) => {
  const { app, folder } = await server(t, { apiKeyDigest: keyDigest('xxxx') });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const path = new URL('../fixtures/signals/http.json.gz', import.meta.url);
  const cases = JSON.parse(gunzipSync(readFileSync(path)).toString()) as {
    name: string;
    request: { method: string; path: string; headers: Record<string, string>; body: string | null };
    response: { status: number; body: string; headers: Record<string, string> };
    files_written: { content: string }[];
  }[];
  for (const { name, request, response, files_written } of cases) {
    const answer = await fetch(`http://127.0.0.1:${port}${request.path}`, {
      method: request.method,
      headers: request.headers,
      // As bytes: to text fetch would add a content type.
      ...(request.body === null ? {} : { body: Buffer.from(request.body) }),
    });
    const body = await answer.text();
    t.equal(answer.status, response.status, name);
    t.equal(answer.headers.get('content-type'), response.headers['content-type'], name);
    t.equal(answer.headers.get('allow'), response.headers['allow'] ?? null, name);
    t.equal(body.split(' [type=')[0], response.body.split(' [type=')[0], name);
    const contents = readdirSync(folder.received).map((file) =>
      readFileSync(join(folder.received, file), 'utf8'),
    );
    t.same(
      contents,
      files_written.map(({ content }) => content),
      name,
    );
    for (const file of readdirSync(folder.received)) rmSync(join(folder.received, file));
  }
});

void t.test('bodies, addresses and requests beyond their limits are refused', async (t) => {
  const { post } = await server(t);
  const large = await post(JSON.stringify({ ...GOOD, x: 'y'.repeat(70_000) }));
  t.same([large.statusCode, large.body], [413, '{"error":"A signal may have 65536 bytes"}\n']);

  const limited = await server(t, { requestsPerMinute: 2 });
  t.same([(await limited.post(GOOD)).statusCode, (await limited.post(GOOD)).statusCode], [200, 200]);
  const third = await limited.post(GOOD);
  t.equal(third.statusCode, 429);
  t.match(third.body, /^{"error":"Too many requests, try again in /);
  t.equal(limited.files().length, 2);

  const closed = await server(t, { allowedAddresses: ['tradingview'], trustedProxies: ['127.0.0.1'] });
  t.equal((await closed.post(GOOD)).statusCode, 403);
  t.equal((await closed.post(GOOD, { 'x-forwarded-for': '52.89.214.238' })).statusCode, 200);
  t.equal((await closed.post(GOOD, { 'x-forwarded-for': '52.89.214.238, 10.0.0.1' })).statusCode, 403);
  const unproxied = await server(t, { allowedAddresses: ['tradingview'] });
  t.equal((await unproxied.post(GOOD, { 'x-forwarded-for': '52.89.214.238' })).statusCode, 403);
});

void t.test('a signal that cannot be written is answered as lost', async (t) => {
  const { post, folder, lines } = await server(t);
  rmSync(folder.temporary, { recursive: true });
  const answer = await post(GOOD);
  t.equal(answer.statusCode, 500);
  t.match(answer.body, /^{"error":"Error writing signal to file: /);
  t.match(lines.join(''), /a signal could not be written/);
});

void t.test(
  'a client that ends its side behind its signal is answered, and the signal is there',
  async (t) => {
    const { app, files } = await server(t);
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const body = JSON.stringify(GOOD);
    const ask = (signal: string): Promise<string> => {
      const socket = createConnection(port, '127.0.0.1');
      socket.end(
        `POST /api/receive-signal HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${signal}`,
      );
      return text(socket);
    };
    t.match(await ask(body), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\{"message":/);
    t.equal(files().length, 1);
    t.match(await ask(body.slice(0, -1)), /^HTTP\/1\.1 400 /, 'one that is not whole is none');
    t.equal(files().length, 1);
  },
);

void t.test('clients that stop half-way hold nobody up', async (t) => {
  const { app, post } = await server(t);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const sockets = Array.from({ length: 50 }, () => createConnection(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    socket.write(
      'POST /api/receive-signal HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{',
    );
  }
  await waitFor(() => sockets.every((socket) => !socket.connecting), { what: 'all are connected' });
  t.equal((await post(GOOD)).statusCode, 200);
  for (const socket of sockets) socket.destroy();
});
