import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import type { Test } from 'tap';
import { deflateSegment, storedSegment } from '@ptn-api/core';
import type { TestApp } from './rest-fixture.ts';
import { BEARER, documentTransaction, fixturePositions, positionsTransaction, testApp } from './rest-fixture.ts';

const AUTH_LINES = 'Host: x\r\nAuthorization: Bearer key-tier100\r\n';

interface Served extends TestApp {
  readonly port: number;
  /** A raw connection, closed when the test ends. */
  readonly open: () => Promise<Socket>;
}

/** As the supervisor does: accepts connections without reading from them and hands them over. */
async function serve(t: Test, app: TestApp = testApp(t)): Promise<Served> {
  await app.app.ready();
  const acceptor = createServer({ pauseOnConnect: true }, (socket) => {
    app.connections.accept(socket);
  });
  acceptor.listen(0, '127.0.0.1');
  await once(acceptor, 'listening');
  const { port } = acceptor.address() as AddressInfo;
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    acceptor.close();
  });
  return {
    ...app,
    port,
    open: async () => {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => socket.destroy());
      await once(socket, 'connect');
      return socket;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('the condition was not met within 5 s');
    await delay(5);
  }
}

/** A position of 32 MB that compresses to next to nothing, and one that does not compress. */
function largePositions() {
  const noise = Buffer.alloc(24_000_000);
  for (let index = 0; index < noise.length; index++) noise[index] = 97 + ((index * index * 7919 + (index >>> 7)) % 26);
  const live = deflateSegment(`"], "tier": 100}`);
  const settled = [deflateSegment('{"positions": ["'), deflateSegment('x'.repeat(32_000_000))];
  for (let at = 0; at < noise.length; at += 60_000) settled.push(storedSegment(noise.subarray(at, at + 60_000)));
  return positionsTransaction({
    generation: 1,
    hotkeys: ['large'],
    put: { large: { kind: 'miner', settled, live: { 0: live, 30: live, 50: live, 100: live } } },
    reset: true,
  });
}

t.test('requests that arrived before the connection was handed over are answered, in order', async (t) => {
  const served = await serve(t);
  const socket = await served.open();
  socket.end(
    `GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n` +
      `GET /miner-positions/.. HTTP/1.1\r\n${AUTH_LINES}Connection: close\r\n\r\n`,
  );
  const answers = (await text(socket)).split(/(?=HTTP\/1\.1 )/);
  t.equal(answers.length, 3);
  t.match(answers[0], /^HTTP\/1\.1 200 .*\{"status":"ok"\}$/s);
  t.match(answers[1], /^HTTP\/1\.1 404 .*\{"error":"Resource not found"\}$/s);
  t.match(answers[2], /^HTTP\/1\.1 404 .*\{"error":"Miner ID \.\. not found"\}$/s);
});

t.test('a standard client gets the same text in every encoding, and 304 for what it holds', async (t) => {
  const { port } = await serve(t);
  const url = `http://127.0.0.1:${port}/miner-positions?tier=50`;
  const zipped = await fetch(url, { headers: { ...BEARER, 'accept-encoding': 'gzip' } });
  const plain = await fetch(url, { headers: { ...BEARER, 'accept-encoding': 'identity' } });
  t.equal(zipped.headers.get('content-encoding'), 'gzip');
  t.equal(plain.headers.get('content-encoding'), null);
  const body = await plain.text();
  t.equal(Number(plain.headers.get('content-length')), Buffer.byteLength(body));
  t.equal(await zipped.text(), body);
  const etag = zipped.headers.get('etag') ?? '';
  const again = await fetch(url, { headers: { ...BEARER, 'accept-encoding': 'gzip', 'if-none-match': etag } });
  t.equal(again.status, 304);
  const head = await fetch(url, { method: 'HEAD', headers: { ...BEARER, 'accept-encoding': 'gzip' } });
  t.equal(head.headers.get('content-length'), zipped.headers.get('content-length'));
});

t.test('one connection serves many requests, with key bodies on GET between them', async (t) => {
  const served = await serve(t);
  const socket = await served.open();
  const body = '{"api_key": "key-tier100"}';
  const request = `GET /eliminations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  socket.end(request.repeat(3));
  t.equal((await text(socket)).match(/HTTP\/1\.1 200 /g)?.length, 3);
});

t.test('what is no HTTP is answered by 400 in JSON and closed', async (t) => {
  const served = await serve(t);
  for (const [bytes, status] of [
    ['\x16\x03\x01 hello\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${AUTH_LINES}\r\n`, 431],
  ] as const) {
    const socket = await served.open();
    socket.write(bytes);
    const answer = await text(socket);
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    t.match(answer, /Content-Type: application\/json\r\n/);
    t.match(answer, /X-Request-Id: [0-9a-f-]{36}\r\n/);
    t.match(answer, /\r\n\r\n\{"error":"Bad request"\}$/);
  }
});

t.test('a request whose headers do not come to an end is given up, though the server never listened', async (t) => {
  const served = await serve(t);
  Object.assign(served.app.server, { headersTimeout: 40, connectionsCheckingInterval: 20 });
  served.app.server.emit('listening');
  const socket = await served.open();
  socket.write('GET /healthz HTTP/1.1\r\nHost:');
  t.match(await text(socket), /^HTTP\/1\.1 408 .*\{"error":"Bad request"\}$/s);
});

t.test('a client that goes away in the middle of an answer or of its request is no fault', async (t) => {
  const served = await serve(t, testApp(t, [largePositions()]));
  for (const request of [
    `GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: identity\r\n\r\n`,
    `GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: gzip\r\n\r\n`,
    `GET /miner-positions/changes?since=99 HTTP/1.1\r\n${AUTH_LINES}\r\n`,
    `GET /miner-positions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"api`,
  ]) {
    const socket = await served.open();
    await until(() => served.connections.openCount === 1);
    socket.write(request);
    if (request.includes('Accept-Encoding')) await once(socket, 'data');
    else await delay(20);
    socket.destroy();
    await until(() => served.connections.openCount === 0);
  }
  t.strictSame(served.logged, []);
  t.equal((await fetch(`http://127.0.0.1:${served.port}/healthz`)).status, 200);
});

t.test('the text of a large body is not held in memory for a client that does not read', async (t) => {
  const served = await serve(t, testApp(t, [largePositions()]));
  const before = process.memoryUsage();
  const sockets = await Promise.all(Array.from({ length: 4 }, served.open));
  for (const socket of sockets) {
    socket.pause();
    socket.write(`GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: identity\r\n\r\n`);
  }
  await until(() => sockets.every((socket) => socket.readableLength > 0 || socket.bytesRead > 0));
  await delay(200);
  const after = process.memoryUsage();
  const grown = after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed;
  // One joined body of 24 MB is shared; the texts would be 4 x 56 MB.
  t.ok(grown < 80_000_000, `${Math.round(grown / 1e6)} MB`);
});

async function answerOf(port: number, agent: Agent, path: string): Promise<IncomingMessage> {
  const request = get({ port, host: '127.0.0.1', path, agent, headers: { ...BEARER, 'accept-encoding': 'gzip' } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

t.test('drained: a connection between requests may send one more, and is told that it is the last', async (t) => {
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
  t.match(JSON.parse(await text(ready)), { status: 'unready', reasons: ['draining'] });
  await drained;
  t.equal(connections.openCount, 0);
});

t.test('drained: idle connections are closed after the grace, long before the deadline', async (t) => {
  const served = await serve(t);
  const socket = await served.open();
  await until(() => served.connections.openCount === 1);
  const startedMs = performance.now();
  const closed = once(socket, 'close');
  socket.resume();
  await served.connections.drain(60_000, 50);
  await closed;
  t.ok(performance.now() - startedMs < 5000);
});

t.test('drained: an answer that is being sent is never cut before the deadline', async (t) => {
  const served = await serve(t, testApp(t, [largePositions()]));
  for (const encoding of ['gzip', 'identity']) {
    const app = await serve(t, testApp(t, [largePositions()]));
    const socket = await app.open();
    socket.write(`GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: ${encoding}\r\n\r\n`);
    const [head] = (await once(socket, 'data')) as [Buffer];
    socket.pause();
    const drained = app.connections.drain(20_000, 50);
    // Several rounds of closing what is idle pass while the client does not read.
    await delay(400);
    const length = Number(/content-length: (\d+)/i.exec(head.toString('latin1'))?.[1]);
    let received = head.length - head.indexOf('\r\n\r\n') - 4;
    socket.on('data', (bytes: Buffer) => (received += bytes.length));
    await Promise.all([drained, once(socket, 'close')]);
    t.equal(received, length, encoding);
  }
  t.equal(served.logged.length, 0);
});

t.test('drained: a request that was waiting is answered and its connection closed', async (t) => {
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

t.test('drained: what is left at the deadline is cut', async (t) => {
  const served = await serve(t, testApp(t, [largePositions()]));
  const socket = await served.open();
  socket.write(`GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: gzip\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
  const startedMs = performance.now();
  await served.connections.drain(100);
  t.ok(performance.now() - startedMs < 3000);
  await until(() => served.connections.openCount === 0);
  t.strictSame(served.logged, []);
});

t.test('drained with nothing open: at once', async (t) => {
  const { connections } = await serve(t);
  const startedMs = performance.now();
  await connections.drain(60_000);
  t.ok(performance.now() - startedMs < 1000);
});

t.test('snapshots that do not decompress are logged, and the answer is cut rather than short', async (t) => {
  const app = testApp(t);
  const document = documentTransaction('eliminations', '{"eliminations": []}');
  const [, value] = document.put[0] ?? [];
  if (value?.kind !== 'document') throw new Error('not a document');
  value.gzip.fill(0xff, 12);
  app.snapshots.apply([document]);
  const { port, logged } = await serve(t, app);
  await t.rejects(
    fetch(`http://127.0.0.1:${port}/eliminations`, { headers: { ...BEARER, 'accept-encoding': 'identity' } }).then(
      async (response) => {
        if (response.status === 200) return response.text();
        throw new Error(`status ${response.status}`);
      },
    ),
  );
  t.match(logged[0], { level: 50, event: 'damaged-snapshot' });
});
