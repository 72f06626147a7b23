import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from '@ptn-api/positions';
import { makePtnRoot, startServer } from '@ptn-api/testkit';
import t from 'tap';
import { BEARER } from './rest-fixture.ts';
import { AUTH_LINES, serve } from './rest-served.ts';

const HIDDEN = 'GET /eliminations HTTP/1.1\r\nHost: hidden\r\n\r\n';
const OPENING = `GET /healthz HTTP/1.1\r\n${AUTH_LINES}`;

/** Requests whose end a proxy in front may see elsewhere than the server. */
const SHAPES: readonly (readonly [name: string, request: string])[] = [
  [
    'length and chunks',
    `${OPENING}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ],
  ['two lengths', `${OPENING}Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ['a length that is none', `${OPENING}Content-Length: +0\r\n\r\n${HIDDEN}`],
  ['a list of lengths', `${OPENING}Content-Length: 0, ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
  ['space before the colon', `${OPENING}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['chunks that are not last', `${OPENING}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a size that is none', `${OPENING}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${HIDDEN}`],
  ['lines without return', `GET /healthz HTTP/1.1\nHost: x\n\n${HIDDEN}`],
  ['a folded header', `${OPENING}X-Odd: a\r\n Transfer-Encoding: chunked\r\n\r\n${HIDDEN}`],
  ['a zero byte', `${OPENING}X-Odd: a\0b\r\n\r\n${HIDDEN}`],
];

await t.test('no shape of a request hides another one in it', async (t) => {
  const served = await serve(t);
  for (const [name, request] of SHAPES) {
    const socket = await served.open();
    socket.end(request);
    const answers = (await text(socket)).split(/(?=HTTP\/1\.1 )/);
    const statuses = answers.map((answer) => answer.slice(9, 12));
    t.equal(statuses.at(-1), '400', `${name}: ${statuses.join(', ')}`);
    t.match(answers.at(-1), /Connection: close/);
    t.notOk(statuses.includes('401'), `${name}: what is behind it is not answered`);
  }
});

await t.test('what is too large is refused', async (t) => {
  const served = await serve(t);
  const long = 'a'.repeat(20_000);
  const expected: readonly (readonly [string, string])[] = [
    [`GET /${long} HTTP/1.1\r\nHost: x\r\n\r\n`, '431'],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Odd: ${long}\r\n\r\n`, '431'],
    [`GET / HTTP/1.1\r\nHost: x\r\n${'X-Odd: aaaaaaaa\r\n'.repeat(2000)}\r\n`, '431'],
    [`${OPENING}Content-Length: 300000\r\nContent-Type: application/json\r\n\r\n`, '413'],
    [`${OPENING}Content-Length: 99999999999999999999\r\n\r\n`, '400'],
  ];
  for (const [request, status] of expected) {
    const socket = await served.open();
    socket.end(request);
    t.equal((await text(socket)).slice(9, 12), status);
  }
});

await t.test('the limit per key holds over the workers of a real server', async (t) => {
  // Somebody whose minute does not end while this runs.
  const leftMs = (name: string) => 60_000 - ((Date.now() - (crc32(Buffer.from(name)) % 60_000)) % 60_000);
  const user = Array.from({ length: 1000 }, (_, index) => `user-${index}`).find(
    (name) => leftMs(name) > 40_000,
  );
  const root = makePtnRoot(t, {
    outputs: '{}',
    keys: { [String(user)]: { key: 'key-tier100', tier: 100 } },
  });
  const { url } = await startServer(t, {
    root: root.path,
    args: ['--rate-limit', '20', '--rest-workers', '2'],
  });
  const statuses: number[] = [];
  const count = (status: number) => statuses.filter((other) => other === status).length;
  const deadlineMs = performance.now() + 15_000;
  while (count(429) < 20 && performance.now() < deadlineMs) {
    // One connection each, so that both workers have their part.
    const answer = await fetch(`${url}/miner-positions`, { headers: { ...BEARER, connection: 'close' } });
    await answer.arrayBuffer();
    statuses.push(answer.status);
    await delay(20);
  }
  // Those within the 0.1 s after which a worker tells the other may slip through; counting alone, each lets in 20.
  t.ok(count(200) >= 20 && count(200) < 35, `${count(200)} of a limit of 20`);
  t.equal(count(429), 20);
});

await t.test('a request whose body does not come to an end is given up', async (t) => {
  const served = await serve(t);
  Object.assign(served.app.server, { requestTimeout: 60, connectionsCheckingInterval: 20 });
  served.app.server.emit('listening');
  const socket = await served.open();
  socket.write(`${OPENING}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"api`);
  t.match(await text(socket), /^HTTP\/1\.1 408 /);
});
