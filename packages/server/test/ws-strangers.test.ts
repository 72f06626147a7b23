import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import { WebSocket } from 'ws';
import { AuthenticationFailures } from '../dist/ipc/authentication-failures.js';
import type { UpgradeLimits } from '../dist/ws/upgrade-server.js';
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

void t.test('an address that guesses keys is closed with 4010, also with a key that counts', async (t) => {
  const failures = new AuthenticationFailures({ authFailuresPerMinute: 2, trustedProxies: ['loopback'] });
  const { port } = await serve(t, { failures, upgradeLimits: LIMITS });
  const closeOf = async (key: string, address: string): Promise<number> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { 'x-forwarded-for': address } });
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
  t.equal(await closeOf(KEY, '203.0.113.7'), 4010);
  t.equal(await closeOf(KEY, '203.0.113.8'), 0);
});

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

void t.test('an opening handshake needs HTTP/1.1 and one Host header', async (t) => {
  const { port } = await serve(t);
  const lines =
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  const answerTo = async (head: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.write(head + lines);
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString();
  };
  t.match(await answerTo('GET / HTTP/1.1\r\nHost: x\r\n'), /^HTTP\/1\.1 101 /);
  const refused = await answerTo('GET / HTTP/1.1\r\n');
  t.match(refused, /^HTTP\/1\.1 400 [^]*\{"error":"The request has no Host header"\}$/);
  t.match(await answerTo('GET / HTTP/1.1\r\nHost: \r\n'), /^HTTP\/1\.1 400 /);
  t.match(await answerTo('GET / HTTP/1.0\r\nHost: x\r\n'), /^HTTP\/1\.1 (400|426) /);
  t.match(
    await answerTo('GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n'),
    /^HTTP\/1\.1 400 [^]*\{"error":"The request has more than one Host header"\}$/,
  );
  t.match(
    await answerTo(`GET / HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(500)}`),
    /^HTTP\/1\.1 400 [^]*\{"error":"The request has more than 100 headers"\}$/,
  );
});
