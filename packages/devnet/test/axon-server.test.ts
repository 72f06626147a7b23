import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { isJsonObject, parseJson } from '@ptn-api/positions';
import type { SignedRequest } from '@ptn-api/wire';
import type { TestScope } from '@ptn-api/testkit';
import t from 'tap';
import { AxonServer } from '../dist/validator/axon-server.js';
import { makeAxon, signed } from './axon-fixture.ts';
import type { TestAxon } from './axon-fixture.ts';
import { REJECTED } from './bad-requests.ts';
import { LONG, MINER, OTHER, signalText } from './validator-fixture.ts';

interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

function overHttp(port: number, request: SignedRequest, method = 'POST'): Promise<HttpAnswer> {
  const { path, headers, body } = request;
  return new Promise((resolve, reject) => {
    const framed = { ...headers, 'content-length': Buffer.byteLength(body) };
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers: framed }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: text });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

async function listen(scope: TestScope, { axon }: TestAxon): Promise<{ port: number; faults: unknown[] }> {
  const faults: unknown[] = [];
  const server = new AxonServer(axon, (error) => faults.push(error));
  scope.teardown(() => server.close());
  return { port: await server.listen('127.0.0.1', 0), faults };
}

void t.test('all of it over HTTP', async (t) => {
  const axon = makeAxon(t);
  const { port, faults } = await listen(t, axon);
  const accepted = await overHttp(port, signed(LONG));
  t.equal(accepted.status, 200);
  t.ok(isJsonObject(parseJson(accepted.body)));
  t.match(JSON.parse(accepted.body), { successfully_processed: true });
  t.equal((await overHttp(port, signed('{}'), 'GET')).status, 200, 'GET has a body as well');
  t.strictSame(await overHttp(port, signed('{}'), 'PUT'), {
    status: 405,
    body: '{"detail":"Method Not Allowed"}',
  });
  const big = signed(`{"trade_pair": "${'x'.repeat(1_000_000)}"}`);
  t.strictSame(await overHttp(port, big), {
    status: 413,
    body: '{"message":"The body of a request may have 262144 bytes at most"}',
  });
  for (const { name, request, status } of REJECTED) {
    t.equal((await overHttp(port, request())).status, status, name);
  }
  t.strictSame(faults, []);
  t.end();
});

void t.test('a client that ends its side behind its request is answered', async (t) => {
  const axon = makeAxon(t);
  const { port, faults } = await listen(t, axon);
  const { path, headers, body } = signed(LONG);
  const lines = Object.entries({ ...headers, host: 'x', 'content-length': Buffer.byteLength(body) });
  const socket = connect(port, '127.0.0.1');
  socket.end(
    `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  );
  t.match(await text(socket), /^HTTP\/1\.1 200 OK\r\n[^]*"successfully_processed": true/);
  t.strictSame(faults, []);
});

void t.test('of many orders at once on one pair one is taken, of many pairs all are', async (t) => {
  const axon = makeAxon(t);
  const { port } = await listen(t, axon);
  const accepted = async (orders: readonly SignedRequest[]): Promise<number> => {
    const answers = await Promise.all(orders.map((order) => overHttp(port, order)));
    return answers.filter(({ body }) => body.includes('"successfully_processed": true')).length;
  };
  t.equal(await accepted(Array.from({ length: 9 }, () => signed(LONG))), 1);
  t.equal(axon.validator.openOf(MINER.address).get('BTCUSD')?.orders.length, 1);
  const pairs = ['BTCUSD', 'ETHUSD', 'EURUSD'];
  const orders = pairs.map((pair) => signed(signalText(pair, 'LONG', 0.2), { keypair: OTHER }));
  t.equal(await accepted(orders), pairs.length);
  t.strictSame([...axon.validator.openOf(OTHER.address).keys()].sort(), pairs);
});

void t.test('a fault ends one connection, and the server closes although others hang', async (t) => {
  const axon = makeAxon(t);
  const broken = Object.assign(Object.create(axon.axon) as typeof axon.axon, {
    answer: () => {
      throw new TypeError('broken');
    },
  });
  const faults: unknown[] = [];
  const server = new AxonServer(broken, (error) => faults.push(error));
  const port = await server.listen('127.0.0.1', 0);
  for (let number = 1; number < 3; number += 1) {
    await t.rejects(overHttp(port, signed(LONG)), { code: 'ECONNRESET' });
    t.equal(faults.length, number);
  }
  const hanging = connect(port, '127.0.0.1');
  hanging.write('POST /SendSignal HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf');
  const closed = new Promise((resolve) => hanging.once('close', resolve));
  hanging.on('error', () => undefined);
  await new Promise((resolve) => hanging.once('connect', resolve));
  await server.close();
  await closed;
});

void t.test('who sends without an end, or goes away, is left alone', async (t) => {
  const axon = makeAxon(t);
  const { port, faults } = await listen(t, axon);
  const head = 'POST /SendSignal HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
  const endless = connect(port, '127.0.0.1');
  const gone = connect(port, '127.0.0.1');
  gone.write(`${head}5\r\nhello\r\n`, () => gone.destroy());
  const chunk = `100000\r\n${'x'.repeat(1_048_576)}\r\n`;
  endless.on('error', () => undefined);
  endless.write(head);
  const closed = new Promise((resolve) => endless.once('close', resolve));
  const write = (): void => {
    if (!endless.destroyed) endless.write(chunk, write);
  };
  write();
  await closed;
  t.ok(endless.bytesWritten > 16 * 1_048_576);
  t.equal((await overHttp(port, signed(LONG))).status, 200);
  t.strictSame(faults, []);
});
