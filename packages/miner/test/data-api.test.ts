import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { createLogger } from '@ptn-api/runtime';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { Slack, dataApi, listenIfPossible, listenOnFreePort } from '../dist/index.js';

const silent = () => createLogger({ name: 'test', level: 'fatal', destination: { write: () => undefined } });
const HOTKEY = '5GzrAeiAshBr2yia5i1KqpnewJNzywxVMrSCbjm7U98RmNME';

void t.test('the data API answers as the original, to pages of any origin', async (t) => {
  const api = dataApi({ hotkey: HOTKEY, minerData: () => Promise.resolve('{"timestamp":9}'), log: silent() });
  const get = (url: string, headers = {}) => api.inject({ method: 'GET', url, headers });
  const hotkey = await get('/miner');
  t.same(
    [hotkey.statusCode, hotkey.body, hotkey.headers['content-type']],
    [200, `"${HOTKEY}"`, 'application/json'],
  );
  t.equal(hotkey.headers['access-control-allow-origin'], undefined);
  const data = await get('/miner-data', { origin: 'http://localhost:5173' });
  t.same([data.statusCode, data.body], [200, '{"timestamp":9}']);
  t.equal(data.headers['access-control-allow-origin'], '*');
  t.equal(data.headers['access-control-allow-credentials'], 'true');
  const absent = await get('/x');
  t.same(
    [absent.statusCode, absent.body, absent.headers['content-type']],
    [404, '{"detail":"Not Found"}', 'application/json'],
  );
  const posted = await api.inject({ method: 'POST', url: '/miner' });
  t.same([posted.statusCode, posted.body], [405, '{"detail":"Method Not Allowed"}']);
  const preflight = await api.inject({
    method: 'OPTIONS',
    url: '/miner-data',
    headers: { origin: 'http://x', 'access-control-request-method': 'GET' },
  });
  t.same([preflight.statusCode, preflight.body], [200, 'OK']);
});

void t.test('a client that ends its side behind its request is answered', async (t) => {
  const minerData = async (): Promise<string> => {
    await setImmediate();
    return '{"timestamp":9}';
  };
  const api = dataApi({ hotkey: HOTKEY, minerData, log: silent() });
  t.teardown(() => api.close());
  await api.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((api.server.address() as AddressInfo).port, '127.0.0.1');
  socket.end('GET /miner-data HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(await text(socket), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\{"timestamp":9\}$/);
});

void t.test('it listens on the first port that is free', async (t) => {
  const make = () => dataApi({ hotkey: HOTKEY, minerData: () => Promise.resolve('{}'), log: silent() });
  const [first, second, third] = [make(), make(), make()];
  t.teardown(() => Promise.all([first, second, third].map((api) => api.close())).then(() => undefined));
  const taken = await listenOnFreePort(first, 21_160, 21_260);
  t.equal(await listenOnFreePort(second, taken, 21_260), taken + 1);
  await t.rejects(listenOnFreePort(third, taken, taken + 2), {
    message: `All ports from [${taken}, ${taken + 2}) in use. Aborting dashboard.`,
  });
  const lines: string[] = [];
  const log = createLogger({
    name: 'test',
    level: 'error',
    destination: { write: (line) => lines.push(line) },
  });
  t.equal(await listenIfPossible(third, taken, taken + 2, log), undefined, 'the miner goes on without');
  t.match(lines.join(''), /Unable to start miner dashboard with error All ports from .* in use/);
  const url = (await listenIfPossible(third, taken, 21_260, log)) ?? '';
  t.equal((await fetch(`${url}/miner`)).status, 200);
  await t.rejects(listenIfPossible(make(), 70_000, 70_001, log), { code: 'ERR_SOCKET_BAD_PORT' });
});

void t.test(
  'Slack gets what happened; that it does not answer harms nobody, and shows its address to nobody',
  async (t) => {
    const lines: string[] = [];
    const log = createLogger({
      name: 'test',
      level: 'debug',
      destination: { write: (line) => lines.push(line) },
    });
    const received: string[] = [];
    const server = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => received.push(`${request.url} ${chunk.toString()}`));
      request.on('end', () => response.writeHead(request.url === '/bad' ? 500 : 200).end('ok'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(
      () =>
        new Promise<void>((resolve) =>
          server.close(() => {
            resolve();
          }),
        ),
    );
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const slack = new Slack({ webhookUrl: `${url}/all`, errorWebhookUrl: `${url}/bad`, log });
    slack.inform('good');
    slack.warn('bad');
    await waitFor(() => received.length === 2, { what: 'both messages have come' });
    t.same(received, ['/all {"text":"good"}', '/bad {"text":"bad"}']);
    await waitFor(() => lines.length === 1, { what: 'the refusal is logged' });
    new Slack({ webhookUrl: 'http://127.0.0.1:1/secret-path', errorWebhookUrl: undefined, log }).warn('lost');
    new Slack({ webhookUrl: undefined, errorWebhookUrl: undefined, log }).warn('to nobody');
    await waitFor(() => lines.length === 2, { what: 'that it is not reached is logged' });
    t.notMatch(lines.join(''), /secret-path|\/bad/);
  },
);
