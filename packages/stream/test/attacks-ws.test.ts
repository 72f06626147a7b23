/** Bytes on the port of the stream that no client sends. Nobody else may notice, and nothing of them may stay. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import t from 'tap';
import type { Test } from 'tap';
import { parseClientMessage } from '../dist/client-message.js';
import { frame, upgradeRequest } from './fuzz-inputs.ts';
import type { RunningStream, StreamOptions } from './ws-fixture.ts';
import { KEY, serve, until } from './ws-fixture.ts';

const LIMITS = { connectionsPerAddress: 0, unauthenticated: 1000, trustedProxies: [], corsOrigins: [] };
const KEY_MESSAGE = JSON.stringify({ api_key: KEY });
/** What a client with a key sends first. */
const HIDDEN_AUTHENTICATION = frame(1, KEY_MESSAGE).toString('latin1');

interface Raw {
  readonly socket: Socket;
  /** Everything that came so far. */
  readonly received: () => Buffer;
  readonly isClosed: () => boolean;
}

/** A connection that speaks by hand, and is closed when the test ends. */
async function open(t: Test, port: number): Promise<Raw> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return { socket, received: () => Buffer.concat(chunks), isClosed: () => socket.closed };
}

/** The same, once its opening handshake is answered. */
async function upgraded(t: Test, { port }: RunningStream, headers = ''): Promise<Raw> {
  const raw = await open(t, port);
  raw.socket.write(upgradeRequest(headers));
  await until(() => raw.received().includes('\r\n\r\n'));
  return raw;
}

/** The close code of the last frame, if that is one of a closing. */
function closeCode({ received }: Raw): number | undefined {
  const bytes = received();
  const at = bytes.lastIndexOf(0x88);
  return at === -1 || bytes.length < at + 4 ? undefined : bytes.readUInt16BE(at + 2);
}

async function served(t: Test, stream: RunningStream): Promise<void> {
  const client = await stream.client();
  t.match(await client.subscribe(), { type: 'subscription_status' });
  client.socket.close();
}

const limited = (t: Test, more: StreamOptions = {}) =>
  serve(t, { limits: { authenticationMs: 400, closingMs: 200, checkMs: 20 }, ...more });

await t.test(
  'compression is not agreed to, and a frame that is compressed ends its connection',
  async (t) => {
    const stream = await serve(t);
    const offers = [
      'permessage-deflate',
      'permessage-deflate; client_max_window_bits; server_max_window_bits=15',
      'permessage-deflate; client_no_context_takeover, x-webkit-deflate-frame',
    ];
    for (const offer of offers) {
      const raw = await upgraded(t, stream, `Sec-WebSocket-Extensions: ${offer}\r\n`);
      t.match(raw.received().toString('latin1'), /^HTTP\/1\.1 101 /);
      t.notMatch(raw.received().toString('latin1'), /extensions/i, 'none is agreed to');
      const bomb = deflateRawSync(Buffer.alloc(30_000_000, 32));
      t.ok(bomb.length < 60_000, 'small on the wire');
      raw.socket.write(frame(1, bomb, { rsv: 4 }));
      await until(raw.isClosed);
      t.equal(closeCode(raw), 1002);
    }
    await served(t, stream);
  },
);

await t.test('frames that break the protocol end their connection, no other one', async (t) => {
  const stream = await serve(t);
  const broken: Readonly<Record<string, readonly [bytes: Buffer, code: number]>> = {
    'without a mask': [frame(1, 'a', { masked: false }), 1002],
    'a reserved bit': [frame(1, 'a', { rsv: 1 }), 1002],
    'a reserved kind': [frame(3, 'a'), 1002],
    'a reserved kind of control': [frame(11, 'a'), 1002],
    'a continuation of nothing': [frame(0, 'a'), 1002],
    'a message within a message': [Buffer.concat([frame(1, 'a', { fin: false }), frame(1, 'b')]), 1002],
    'a ping in two parts': [frame(9, 'a', { fin: false }), 1002],
    'a ping that is too long': [frame(9, 'a'.repeat(126)), 1002],
    'a close of one byte': [frame(8, 'a'), 1002],
    'a close with a code that is none': [frame(8, Buffer.from([0, 1])), 1002],
    'a close with a reason that is no text': [frame(8, Buffer.from([3, 0xe8, 0xff])), 1007],
    'text that is none': [frame(1, Buffer.from([0xc0, 0xae])), 1007],
    'a length of 2^63': [Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), 1009],
    'a length of 2^53': [Buffer.from([0x81, 0xff, 0, 0x20, 0, 0, 0, 0, 0, 0]), 1009],
    'a length of 1 GB': [Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0]), 1009],
    'a length above the limit': [Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1]), 1009],
    'a message of very many parts': [
      Buffer.concat([
        frame(1, 'a', { fin: false }),
        ...Array<Buffer>(70_000).fill(frame(0, 'a', { fin: false })),
      ]),
      1008,
    ],
  };
  for (const [name, [bytes, code]] of Object.entries(broken)) {
    const raw = await upgraded(t, stream);
    raw.socket.write(bytes);
    await until(raw.isClosed);
    t.equal(closeCode(raw), code, name);
  }
  await served(t, stream);
  await until(() => stream.streams.openCount === 0);
});

await t.test('an opening handshake that is odd is refused, and what follows it is not read', async (t) => {
  const stream = await serve(t);
  const key = randomBytes(16).toString('base64');
  const base = 'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n';
  const request = (line: string, headers: string) => `${line}\r\n${headers}\r\n${HIDDEN_AUTHENTICATION}`;
  const odd: Readonly<Record<string, string>> = {
    'another method': request('POST / HTTP/1.1', `${base}Sec-WebSocket-Key: ${key}\r\n`),
    'another version': request('GET / HTTP/1.1', `${base.replace('13', '99')}Sec-WebSocket-Key: ${key}\r\n`),
    'no key': request('GET / HTTP/1.1', base),
    'a key that is too short': request('GET / HTTP/1.1', `${base}Sec-WebSocket-Key: YQ==\r\n`),
    'another protocol': request('GET / HTTP/1.1', base.replace('websocket', 'h2c')),
    'lengths and chunks': request(
      'GET / HTTP/1.1',
      `${base}Sec-WebSocket-Key: ${key}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n`,
    ),
    'a zero byte': request('GET / HTTP/1.1', `${base}Sec-WebSocket-Key: ${key}\r\nX-Odd: \0\r\n`),
    'a folded header': request(
      'GET / HTTP/1.1',
      `${base}X-Odd: a\r\n b: c\r\nSec-WebSocket-Key: ${'='.repeat(24)}\r\n`,
    ),
    'headers above the limit': request('GET / HTTP/1.1', `${base}X-Odd: ${'a'.repeat(20_000)}\r\n`),
    'no HTTP': `\x16\x03\x01\x02\x00\x01\x00\x01\xfc${HIDDEN_AUTHENTICATION}`,
  };
  for (const [name, bytes] of Object.entries(odd)) {
    const raw = await open(t, stream.port);
    raw.socket.write(Buffer.from(bytes, 'latin1'));
    await until(raw.isClosed);
    const text = raw.received().toString('latin1');
    t.match(text, /^HTTP\/1\.1 4\d\d /, name);
    t.equal(text.match(/HTTP\/1\.1 /g)?.length, 1, `${name}: one answer`);
    t.notMatch(text, /success/, name);
  }
  t.equal(stream.streams.openCount, 0);
  await served(t, stream);
});

await t.test('a key in the address, a cookie or another header opens nothing', async (t) => {
  const stream = await limited(t);
  const raw = await open(t, stream.port);
  raw.socket.write(upgradeRequest(`X-Api-Key: ${KEY}\r\nCookie: api_key=${KEY}\r\n`, `/?api_key=${KEY}`));
  await until(raw.isClosed);
  t.equal(closeCode(raw), 4001, 'it was waited for in a message');
  t.notMatch(stream.logged.join(''), KEY);
});

await t.test('who sends the opening handshake byte by byte, or none, is given up', async (t) => {
  const stream = await serve(t, { handshakeTimeoutMs: 200 });
  for (const first of ['', 'GET / HTTP/1.1\r\nHost: x\r\n', 'GET / HTTP/1.1\r\nX-Odd: ']) {
    const raw = await open(t, stream.port);
    const drip = setInterval(() => raw.socket.write(first === '' ? '' : 'a'), 20);
    raw.socket.on('close', () => {
      clearInterval(drip);
    });
    raw.socket.write(first);
    await until(raw.isClosed);
    t.notMatch(raw.received().toString('latin1'), /HTTP\/1\.1 101/);
  }
  await served(t, stream);
});

await t.test('who sends a message byte by byte is given up before it has a key', async (t) => {
  const stream = await limited(t);
  const raw = await upgraded(t, stream);
  const bytes = frame(1, KEY_MESSAGE.padEnd(4000));
  let sent = 0;
  const drip = setInterval(() => {
    raw.socket.write(bytes.subarray(sent, (sent += 1)));
  }, 10);
  t.teardown(() => {
    clearInterval(drip);
  });
  await served(t, stream);
  await until(raw.isClosed);
  t.ok(sent < bytes.length);
  await until(() => stream.streams.openCount === 0);
});

await t.test(
  'a page of another site is refused wherever sites are listed, the own page is not',
  async (t) => {
    const stream = await serve(t, { upgradeLimits: { ...LIMITS, corsOrigins: ['https://app.example.com'] } });
    const statusFor = async (headers: string) => {
      const raw = await open(t, stream.port);
      raw.socket.write(upgradeRequest(headers));
      await until(() => raw.received().includes('\r\n\r\n'));
      raw.socket.destroy();
      return raw.received().toString('latin1', 9, 12);
    };
    const expected: Readonly<Record<string, string>> = {
      'Origin: http://localhost:48888\r\n': '101',
      'Origin: https://app.example.com\r\n': '101',
      'Origin: http://localhost.evil.example\r\n': '403',
      'Origin: http://evil.example\\@localhost\r\n': '403',
      'Origin: http://evil.example#localhost\r\n': '403',
      'Origin: https://app.example.com@evil.example\r\n': '403',
      'Origin: file://\r\n': '403',
      'Origin: null\r\n': '403',
      'Origin: \r\n': '403',
      'Origin: http://evil.example\r\nX-Forwarded-Host: evil.example\r\n': '403',
      'Origin: http://evil.example\r\nOrigin: http://localhost:48888\r\n': '403',
    };
    for (const [headers, status] of Object.entries(expected)) {
      t.equal(await statusFor(headers), status, headers.trim());
    }
  },
);

await t.test('no message takes long to read, and none changes all objects', (t) => {
  const names = Array.from({ length: 10_000 }, (_, index) => `m${index}`);
  const messages = [
    `{"type":"subscribe","trade_pairs":[${'"",'.repeat(20_000)}""]}`,
    JSON.stringify({ type: 'subscribe', miner_hotkeys: names.slice(0, 7000) }),
    `{${'"type":"x",'.repeat(5000)}"type":"ping"}`,
    `{"type":"ping","timestamp":${'9'.repeat(60_000)}}`,
    `{"type":"ping","timestamp":"${'\\u0000'.repeat(10_000)}"}`,
    `{${names
      .slice(0, 4500)
      .map((name) => `"${name}":1`)
      .join(',')}}`,
    '{"a":'.repeat(12_000),
    `{"type":"subscribe","__proto__":{"all":true},"constructor":{"prototype":{"all":true}}}`,
    '{"type":"subscribe","trade_pairs":{"__proto__":["BTCUSD"],"length":1}}',
    '{"type":"subscribe","miner_hotkeys":["__proto__","constructor"]}',
  ];
  for (const message of messages) {
    t.ok(message.length <= 64 * 1024);
    let best = Infinity;
    for (let round = 0; round < 3; round++) {
      const startedMs = performance.now();
      parseClientMessage(message);
      best = Math.min(best, performance.now() - startedMs);
    }
    t.ok(best < 50, `${message.slice(0, 40)}: ${best.toFixed(1)} ms`);
  }
  for (const name of ['all', 'type', 'trade_pairs']) t.notOk(name in {});
  t.end();
});
