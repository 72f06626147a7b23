import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { BEARER, testApp } from './rest-fixture.ts';
import { AUTH_LINES, LARGE, serve, until } from './rest-served.ts';

await t.test(
  'requests that arrived before the connection was handed over are answered, in order',
  async (t) => {
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
  },
);

await t.test(
  'a standard client gets the same text in every encoding, and 304 for what it holds',
  async (t) => {
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
    const again = await fetch(url, {
      headers: { ...BEARER, 'accept-encoding': 'gzip', 'if-none-match': etag },
    });
    t.equal(again.status, 304);
    const head = await fetch(url, { method: 'HEAD', headers: { ...BEARER, 'accept-encoding': 'gzip' } });
    t.equal(head.headers.get('content-length'), zipped.headers.get('content-length'));
  },
);

await t.test('one connection serves many requests, with key bodies on GET between them', async (t) => {
  const served = await serve(t);
  const socket = await served.open();
  const body = '{"api_key": "key-tier100"}';
  const request = (connection: string) =>
    `GET /eliminations HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  socket.write(request('keep-alive').repeat(2) + request('close'));
  t.equal((await text(socket)).match(/HTTP\/1\.1 200 /g)?.length, 3);
});

await t.test('of two Authorization headers the first counts', async (t) => {
  const served = await serve(t);
  for (const [keys, status] of [
    [['key-tier100', 'wrong'], 200],
    [['wrong', 'key-tier100'], 401],
  ] as const) {
    const socket = await served.open();
    const headers = keys.map((key) => `Authorization: Bearer ${key}\r\n`).join('');
    socket.write(`GET /eliminations HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\n`);
    t.match(await text(socket), new RegExp(`^HTTP/1\\.1 ${status} `));
  }
});

await t.test('what is no HTTP is answered by 400 in JSON and closed', async (t) => {
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
    t.match(
      answer,
      status === 400 ? /\r\n\r\n\{"error":"Bad request"\}$/ : /\r\n\r\n\{"error":"Request headers are/,
    );
  }
});

await t.test(
  'a request whose headers do not come to an end is given up, though the server never listened',
  async (t) => {
    const served = await serve(t);
    Object.assign(served.app.server, { headersTimeout: 40, connectionsCheckingInterval: 20 });
    served.app.server.emit('listening');
    const socket = await served.open();
    socket.write('GET /healthz HTTP/1.1\r\nHost:');
    t.match(await text(socket), /^HTTP\/1\.1 408 .*\{"error":"The request took too long to arrive"\}$/s);
  },
);

await t.test(
  'a client that goes away in the middle of an answer or of its request is no fault',
  async (t) => {
    const served = await serve(t, testApp(t, [LARGE]));
    for (const request of [
      `GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: identity\r\n\r\n`,
      `GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: gzip\r\n\r\n`,
      `GET /miner-positions/changes?since=99 HTTP/1.1\r\n${AUTH_LINES}\r\n`,
      `GET /miner-positions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"api`,
    ]) {
      const socket = await served.open();
      await until(() => served.connections.openCount === 1);
      const received = once(served.app.server, 'request');
      socket.write(request);
      await received;
      if (request.includes('Accept-Encoding')) await once(socket, 'data');
      socket.destroy();
      await until(() => served.connections.openCount === 0);
    }
    t.strictSame(served.logged, []);
    t.equal((await fetch(`http://127.0.0.1:${served.port}/healthz`)).status, 200);
  },
);

await t.test('the text of a large body is not held in memory for a client that does not read', async (t) => {
  const served = await serve(t, testApp(t, [LARGE]));
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

await t.test(
  'snapshots that do not decompress are logged, and the answer is cut rather than short',
  async (t) => {
    const app = testApp(t);
    const whole = gzipSync(randomBytes(200_000).toString('hex'));
    app.snapshots.apply([
      {
        topic: 'documents',
        reset: false,
        put: [
          [
            'eliminations',
            {
              kind: 'document',
              gzip: whole.subarray(0, whole.length / 2),
              sizeBytes: 400_000,
              digest: 'd',
              modifiedMs: 0,
            },
          ],
        ],
        remove: [],
      },
    ]);
    const { port, logged } = await serve(t, app);
    const response = await fetch(`http://127.0.0.1:${port}/eliminations`, {
      headers: { ...BEARER, 'accept-encoding': 'identity' },
    });
    await t.rejects(response.text());
    t.match(logged, [{ level: 50, event: 'damaged-snapshot' }]);
  },
);
