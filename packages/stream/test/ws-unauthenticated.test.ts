import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import { WebSocket } from 'ws';
import { AddressLimit } from '../../access/dist/limits/address-limit.js';
import type { UpgradeLimits } from '../dist/upgrade-server.js';
import { KEY, serve, until } from './ws-fixture.ts';

const LIMITS: UpgradeLimits = {
  connectionsPerAddress: 200,
  unauthenticated: 1000,
  trustedProxies: ['loopback'],
  corsOrigins: [],
};

/** The status of the opening handshake, 101 when it opens. */
async function statusOf(t: Test, port: number, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers });
  t.teardown(() => {
    socket.terminate();
  });
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      resolve(101);
    });
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', reject);
  });
}

void t.test('pages of any site may open a stream unless sites are listed', async (t) => {
  const origin = 'https://evil.example';
  const open = await serve(t);
  t.equal(await statusOf(t, open.port, { origin }), 101);

  const { port } = await serve(t, {
    upgradeLimits: { ...LIMITS, corsOrigins: ['https://app.example.com'] },
  });
  const expected: [Record<string, string>, number][] = [
    [{ origin }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'https://app.example.com.evil.example' }, 403],
    [{ origin: 'https://app.example.com' }, 101],
    [{ origin: 'http://127.0.0.1:48888' }, 101],
    [{}, 101],
  ];
  for (const [headers, status] of expected) {
    t.equal(await statusOf(t, port, headers), status, JSON.stringify(headers));
  }
});

void t.test(
  'an address that guesses keys is closed with 4010, but never with a key that counts',
  async (t) => {
    const failures = new AddressLimit(2, ['loopback']);
    const { port } = await serve(t, { failures, upgradeLimits: LIMITS });
    const closeOf = async (key: string, address: string, headers = {}): Promise<number> => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
        headers: { 'x-forwarded-for': address, ...headers },
      });
      t.teardown(() => {
        socket.terminate();
      });
      await once(socket, 'open');
      socket.send(JSON.stringify({ api_key: key }));
      return new Promise((resolve) => {
        socket.on('close', resolve);
        socket.on('message', (text: Buffer) => {
          if (text.includes('success')) resolve(0);
        });
      });
    };
    t.same([await closeOf('a', '203.0.113.7'), await closeOf('b', '203.0.113.7')], [4501, 4501]);
    t.equal(await closeOf('c', '203.0.113.7'), 4010);
    t.equal(await closeOf(KEY, '203.0.113.7'), 0);
    const evil = { origin: 'https://evil.example' };
    for (const expected of [4501, 4501, 4010]) t.equal(await closeOf('d', '203.0.113.9', evil), expected);
    t.equal(await closeOf('e', '203.0.113.9'), 4501, "what a page of another site tries is not its reader's");
  },
);

void t.test('a crowd without keys shuts out nobody who has one', async (t) => {
  const run = await serve(t, { upgradeLimits: { ...LIMITS, unauthenticated: 5 } });
  const before = await run.client();
  const idle = Array.from({ length: 30 }, () => connect(run.port, '127.0.0.1').on('error', () => undefined));
  t.teardown(() => {
    for (const socket of idle) socket.destroy();
  });
  const closed = new Set<object>();
  for (const socket of idle) {
    socket.on('close', () => closed.add(socket));
    socket.resume();
  }
  await until(() => closed.size === 25);
  const after = await run.client();
  t.same([before.closeCode, after.closeCode], [undefined, undefined]);
});

const UPGRADE = ['Host: x', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
const HANDSHAKE = [...UPGRADE, `Sec-WebSocket-Key: ${'A'.repeat(22)}==`];
const without = (name: string) => HANDSHAKE.filter((line) => !line.startsWith(name));
const request = (first: string, lines: readonly string[]) => `${[first, ...lines].join('\r\n')}\r\n\r\n`;
const get = (lines: readonly string[]) => request('GET / HTTP/1.1', lines);
const SPEAKS = 'This port speaks WebSocket only';

for (const [what, bytes, status, error] of [
  ['nothing of a stream', get(['Host: x']), 426, SPEAKS],
  ['HTTP/1.0 without Upgrade', request('GET / HTTP/1.0', []), 426, SPEAKS],
  ['another method', request('POST / HTTP/1.1', HANDSHAKE), 426, SPEAKS],
  ['another protocol', get([...without('Upgrade'), 'Upgrade: h2c']), 426, SPEAKS],
  [
    'HTTP/1.0',
    request('GET / HTTP/1.0', HANDSHAKE),
    400,
    'The request has HTTP version 1.0, and a stream needs 1.1',
  ],
  ['no Host', get(without('Host')), 400, 'The request has no Host header'],
  ['an empty Host', get([...without('Host'), 'Host:']), 400, 'The request has no Host header'],
  ['two Hosts', get([...HANDSHAKE, 'host: y']), 400, 'The request has more than one Host header'],
  [
    '500 headers',
    get([...HANDSHAKE, ...Array<string>(500).fill('A: b')]),
    400,
    'The request has more than 100 headers',
  ],
  ['no key', get(UPGRADE), 400, 'The request has no Sec-WebSocket-Key of 16 bytes in base64'],
  [
    'a short key',
    get([...UPGRADE, 'Sec-WebSocket-Key: AAA=']),
    400,
    'The request has no Sec-WebSocket-Key of 16 bytes in base64',
  ],
  [
    'version 7',
    get([...without('Sec-WebSocket-Version'), 'Sec-WebSocket-Version: 7']),
    400,
    'The request has no Sec-WebSocket-Version: 13',
  ],
  ['a bad subprotocol', get([...HANDSHAKE, 'Sec-WebSocket-Protocol: ,']), 400, 'Bad request'],
  [
    'an expectation',
    get(['Host: x', 'Expect: x']),
    417,
    'Unknown expectation. The only one that is met is Expect: 100-continue',
  ],
  ['no HTTP', 'hello\r\n\r\n', 400, 'Bad request'],
  [
    '20 KB of headers',
    get([...HANDSHAKE, `A: ${'b'.repeat(20_000)}`]),
    431,
    'Request headers are larger than 16 KB',
  ],
  ['half a request', 'GET / HTTP/1.1\r\nHost: x\r\n', 408, 'The request took too long to arrive'],
] as const) {
  void t.test(`${what} on the stream's port: ${status}, in JSON, with an id`, async (t) => {
    const { port } = await serve(t, { handshakeTimeoutMs: 1000 });
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.write(bytes);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    const [head = '', body] = answer.split('\r\n\r\n');
    t.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
    t.match(head, /\r\ncontent-type: application\/json(\r\n|$)/i);
    t.match(head, /\r\nx-request-id: [-0-9a-f]{36}(\r\n|$)/i);
    t.match(head, /\r\nconnection: (Upgrade, )?close(\r\n|$)/i);
    t.equal(body, JSON.stringify({ error }));
  });
}

void t.test('a handshake with all that it needs opens a stream', async (t) => {
  const { port } = await serve(t);
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(get(HANDSHAKE));
  const [data] = (await once(socket, 'data')) as [Buffer];
  t.match(data.toString(), /^HTTP\/1\.1 101 /);
});
