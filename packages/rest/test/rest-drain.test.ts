import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { BEARER, fixturePositions, testApp } from './rest-fixture.ts';
import { AUTH_LINES, LARGE, serve, until } from './rest-served.ts';

async function answerOf(port: number, agent: Agent, path: string): Promise<IncomingMessage> {
  const request = get({
    port,
    host: '127.0.0.1',
    path,
    agent,
    headers: { ...BEARER, 'accept-encoding': 'gzip' },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

await t.test(
  'drained: a connection between requests may send one more, and is told that it is the last',
  async (t) => {
    const { port, connections } = await serve(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => {
      agent.destroy();
    });
    const first = await answerOf(port, agent, '/healthz');
    t.equal(first.headers.connection, 'keep-alive');
    first.resume();
    await once(first, 'end');
    const drained = connections.drain(5000);
    const ready = await answerOf(port, agent, '/readyz');
    t.equal(ready.headers.connection, 'close');
    t.match(JSON.parse(await text(ready)), { status: 'degraded', reasons: ['draining'] });
    await drained;
    t.equal(connections.openCount, 0);
  },
);

await t.test('drained: idle connections are closed after the grace, long before the deadline', async (t) => {
  const served = await serve(t);
  const socket = await served.open();
  await until(() => served.connections.openCount === 1);
  const startedMs = performance.now();
  const closed = once(socket, 'close');
  socket.resume();
  await served.connections.drain(60_000, 50);
  await closed;
  t.ok(performance.now() - startedMs < 30_000);
});

await t.test('drained: an answer that is being sent is never cut before the deadline', async (t) => {
  for (const encoding of ['gzip', 'identity']) {
    const app = await serve(t, testApp(t, [LARGE]));
    const socket = await app.open();
    socket.write(`GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: ${encoding}\r\n\r\n`);
    const [head] = (await once(socket, 'data')) as [Buffer];
    socket.pause();
    const drained = app.connections.drain(20_000, 50);
    // Several rounds of closing what is idle pass while the client does not read.
    await delay(400);
    const length = Number(/content-length: (\d+)/i.exec(head.toString('latin1'))?.[1]);
    let received = head.length - head.indexOf('\r\n\r\n') - 4;
    socket.on('data', (bytes: Buffer) => (received += bytes.length)).resume();
    await Promise.all([drained, once(socket, 'close')]);
    t.equal(received, length, encoding);
    t.strictSame(app.logged, []);
  }
});

await t.test('drained: a request that was waiting is answered and its connection closed', async (t) => {
  const served = await serve(t);
  const socket = await served.open();
  socket.write(`GET /miner-positions/changes?since=2 HTTP/1.1\r\n${AUTH_LINES}\r\n`);
  const generations = served.snapshots;
  await until(() => generations.waitingCount === 1);
  const drained = served.connections.drain(5000);
  generations.apply([fixturePositions(2)]);
  t.match(await text(socket), /^HTTP\/1\.1 200 .*connection: close\r\n/is);
  await drained;
});

await t.test('drained: what is left at the deadline is cut', async (t) => {
  const served = await serve(t, testApp(t, [LARGE]));
  const socket = await served.open();
  socket.write(`GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: gzip\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
  const startedMs = performance.now();
  await served.connections.drain(100);
  // Nothing else would end it: the client does not read.
  t.ok(performance.now() - startedMs >= 99);
  await until(() => served.connections.openCount === 0);
  t.strictSame(served.logged, []);
});

await t.test('drained with nothing open: at once', async (t) => {
  const { connections } = await serve(t);
  const startedMs = performance.now();
  await connections.drain(60_000);
  t.ok(performance.now() - startedMs < 30_000);
});
