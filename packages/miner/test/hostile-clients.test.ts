import { readFileSync, readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { createLogger } from '@ptn-api/runtime';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { keyDigest, makeMiningFolder, miningFolder, signalsServer } from '../dist/index.js';
import type { SignalsServerOptions } from '../dist/index.js';
import { BODY_ROWS, VANTA_ROWS } from './hostile-bodies.ts';
import { HTTP_ROWS, NONSENSE_BEHIND_A_SIGNAL } from './hostile-http.ts';
import { KEY_ROWS } from './hostile-keys.ts';
import { GOOD, KEY, OK, request } from './hostile-row.ts';
import type { HostileRow } from './hostile-row.ts';

const GOOD_REQUEST = request(JSON.stringify(GOOD));
/** Among the others. */
const GOOD_ONES = 20;
const REQUEST_TIMEOUT_MS = 500;

async function startServer(scope: TestScope, changes: Partial<SignalsServerOptions> = {}) {
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
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { folder, lines, port, files: () => readdirSync(folder.received) };
}

/**
 * Sends bytes over a connection of their own; gives all that comes until the connection ends. What the client does `then`
 * is up to it; as a rule it waits for the server to end it.
 */
function exchange(
  port: number,
  bytes: string | Buffer,
  then: (socket: Socket) => void = () => undefined,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    // Of a connection that the server ends, which 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(received);
    });
    socket.write(bytes, () => {
      then(socket);
    });
  });
}

const NO_CHUNK = '0\r\n\r\n';

/** Status and body of each answer on a connection. */
function answersIn(received: string): [status: number, body: string][] {
  const answers: [number, string][] = [];
  for (let rest = received; rest !== '';) {
    const [head = '', ...tail] = rest.split('\r\n\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    const body = Buffer.from(tail.join('\r\n\r\n'));
    // Node itself answers some requests with no chunk.
    const isChunked = /^transfer-encoding: chunked$/im.test(head);
    const length = isChunked ? 0 : Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    answers.push([status, body.subarray(0, length).toString()]);
    rest = body.subarray(isChunked ? NO_CHUNK.length : length).toString();
  }
  return answers;
}

/** Makes all requests at once, with good ones among them; afterwards the files are those of the good ones alone. */
async function tryAll(t: Test, rows: readonly HostileRow[], generation: 'ptn' | 'vanta'): Promise<void> {
  const server = await startServer(t, { generation });
  let printed = '';
  const tried = rows.map(async ([name, bytes, ...expected]) => {
    const received = await exchange(server.port, bytes);
    printed += received;
    const answers = answersIn(received);
    t.same(
      answers.map(([status]) => status),
      expected.map(([status]) => status),
      name,
    );
    for (const [index, [, body]] of expected.entries()) {
      const shown = answers[index]?.[1] ?? '';
      if (typeof body === 'string') t.equal(shown, body, name);
      else t.match(shown, body, name);
    }
  });
  const among = Array.from({ length: GOOD_ONES }, async () => {
    t.match(answersIn(await exchange(server.port, GOOD_REQUEST)), [OK]);
  });
  await Promise.all([...tried, ...among]);
  const good = rows.flatMap(([, , ...expected]) => expected).filter((answer) => answer === OK);
  const files = server.files();
  t.equal(files.length, good.length + GOOD_ONES, 'what was taken is there, and nothing else');
  const contents = new Set(files.map((name) => readFileSync(join(server.folder.received, name), 'utf8')));
  t.equal(contents.size, 1, 'all of them are whole');
  t.same(readdirSync(server.folder.temporary), []);
  t.notMatch(
    printed + server.lines.join('') + [...contents].join(''),
    KEY,
    'the key is in no answer, log or file',
  );
}

void t.test('hostile requests are answered exactly, lose nothing and learn nothing', async (t) => {
  const rows = [...KEY_ROWS, ...BODY_ROWS, ...HTTP_ROWS];
  t.ok(rows.length > 180);
  t.equal(new Set(rows.map(([name]) => name)).size, rows.length);
  await tryAll(t, rows, 'ptn');
});

void t.test('names of files that lead elsewhere are refused', async (t) => {
  await tryAll(t, VANTA_ROWS, 'vanta');
});

void t.test('nonsense behind a signal does not undo it', async (t) => {
  const { port, files } = await startServer(t);
  t.same(answersIn(await exchange(port, NONSENSE_BEHIND_A_SIGNAL)), [[400, '{"error":"Bad request"}']]);
  await waitFor(() => files().length === 1, { what: 'the signal is there' });
});

const half = GOOD_REQUEST.subarray(0, -10);
const LATE = [408, '{"error":"The request took too long to arrive"}'] as const;

/** What a client sends and does then; where it goes away itself, it gets no answer. */
const SLOW: readonly (readonly [
  name: string,
  bytes: Buffer,
  then: (socket: Socket) => void,
  ...answers: (readonly [number, string])[],
])[] = [
  ['nothing', Buffer.alloc(0), () => undefined, LATE],
  ['half a head', GOOD_REQUEST.subarray(0, 30), () => undefined, LATE],
  ['half a body', half, () => undefined, LATE],
  [
    'a byte now and then',
    half.subarray(0, -50),
    (socket) => {
      const timer = setInterval(() => socket.write(' '), REQUEST_TIMEOUT_MS / 10);
      socket.once('close', () => {
        clearInterval(timer);
      });
    },
    LATE,
  ],
  [
    'an expectation, and no body',
    Buffer.from(
      'POST /api/receive-signal HTTP/1.1\r\nhost: m\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n',
    ),
    () => undefined,
    [100, ''],
    LATE,
  ],
  ['half a body and its end', half, (socket) => socket.end(), [400, '{"error":"Bad request"}']],
  ['half a body and gone', half, (socket) => socket.destroy()],
  ['half a body and a reset', half, (socket) => socket.resetAndDestroy()],
];

void t.test('slow clients are answered that they are late, and nothing of theirs is taken', async (t) => {
  const { port, files } = await startServer(t, { requestTimeoutMs: REQUEST_TIMEOUT_MS });
  await Promise.all(
    SLOW.map(async ([name, bytes, then, ...expected]) => {
      t.same(answersIn(await exchange(port, bytes, then)), expected, name);
    }),
  );
  t.same(files(), []);
});

void t.test(
  'a crowd of idle connections shuts others out for no longer than a request may take',
  async (t) => {
    const { port, files } = await startServer(t, { requestTimeoutMs: REQUEST_TIMEOUT_MS });
    const crowd = Array.from({ length: 300 }, () => exchange(port, Buffer.alloc(0)));
    await waitFor(async () => (await exchange(port, GOOD_REQUEST)) !== '', { what: 'a signal gets through' });
    t.equal(files().length, 1);
    await Promise.all(crowd);
  },
);
