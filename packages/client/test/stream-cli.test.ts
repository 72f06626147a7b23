// The command ptn-stream, as a process.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import t from 'tap';
import { startFakeServer } from './fake-server.ts';
import type { FakeSession } from './fake-server.ts';

const command = fileURLToPath(import.meta.resolve('@ptn-api/client/cli'));

function run(scope: TestScope, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [command, ...args], {
    // The key of whoever runs the tests is none of theirs: an empty one counts as missing.
    env: { ...process.env, PTN_API_KEY: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => (output[name] += chunk));
  }
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  scope.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { child, output, ended };
}

async function startServer(scope: TestScope, onSession: (session: FakeSession) => void) {
  const server = await startFakeServer(scope, { onSession });
  return { ...server, port: new URL(server.url).port };
}

await t.test('prints orders as the documentation shows them; Ctrl-C ends it', async (t) => {
  const { port, sessions } = await startServer(t, (session) => {
    session.accept({ currentSequence: 236 });
    session.orders(237);
  });
  const { child, output, ended } = run(t, ['the-secret-key', '127.0.0.1', port]);
  await waitFor(() => output.stdout.includes('from_order='), { what: () => `an order; ${output.stderr}` });
  const [, summary = '', order = '', lags] =
    /^\nReceived message PTNWebSocketMessage\(seq=237\)\nPosition Summary:\n([^]*)\nNew Order:\n([^]*)\n(Approx.*)\n$/.exec(
      output.stdout,
    ) ?? [];
  const position = JSON.parse(summary) as object;
  t.match(position, { miner_hotkey: 'miner-a', position_uuid: 'p-237', is_closed_position: false });
  t.notOk('orders' in position);
  t.same(Object.keys(JSON.parse(order) as object), [
    'trade_pair_id',
    'order_type',
    'leverage',
    'price',
    'bid',
    'ask',
    'slippage',
    'processed_ms',
    'price_sources',
    'order_uuid',
    'src',
  ]);
  t.match(lags, /^Approx Timelag \(ms\): from_queue=\d+, from_order=\d+$/);
  t.match(sessions[0]?.authentication, { api_key: 'the-secret-key', last_sequence: -1 });
  t.notMatch(output.stdout + output.stderr, 'the-secret-key');
  child.kill('SIGINT');
  t.match(await ended, { signal: 'SIGINT' });
});

await t.test('--json, --since and the key of the environment', async (t) => {
  const { port, sessions } = await startServer(t, (session) => {
    session.accept({ currentSequence: 9 });
    session.orders(8, 9);
  });
  const args = ['-', '127.0.0.1', port, '--json', '--since', '7'];
  const { output } = run(t, args, { PTN_API_KEY: 'from-the-environment' });
  await waitFor(() => output.stdout.split('\n').length === 3, { what: () => `two lines; ${output.stderr}` });
  const lines = output.stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  t.match(lines, [
    { sequence: 8, lag_from_queue_ms: Number, position: { position_uuid: 'p-8', orders: [{}] } },
    { sequence: 9, lag_from_order_ms: Number, position: { position_uuid: 'p-9' } },
  ]);
  t.match(sessions[0]?.authentication, { api_key: 'from-the-environment', last_sequence: 7 });
});

await t.test('a refusal for good: one line and exit code 1', async (t) => {
  const { port } = await startServer(t, ({ send, socket }) => {
    send({ status: 'error', message: 'Invalid API key. Authentication failed.' });
    socket.close(4501);
  });
  const { output, ended } = run(t, ['the-secret-key', '127.0.0.1', port]);
  t.same(await ended, { code: 1, signal: null });
  t.equal(output.stdout, '');
  const told = output.stderr.split('\n').filter((line) => line.includes('Invalid API key'));
  t.same(told, ['ptn-stream: the server refused the connection: Invalid API key. Authentication failed.']);
});

await t.test('a reader that goes away ends it', async (t) => {
  const { port, sessions } = await startServer(t, (session) => {
    session.accept();
  });
  const { child, ended } = run(t, ['k', '127.0.0.1', port, '--since', '0']);
  await waitFor(() => sessions.length === 1, { what: 'the connection' });
  child.stdout.destroy();
  let sequence = 0;
  const sending = setInterval(() => {
    sequence += 1;
    sessions[0]?.orders(sequence);
  }, 10);
  t.teardown(() => {
    clearInterval(sending);
  });
  t.same(await ended, { code: 0, signal: null });
});

await t.test('--help', async (t) => {
  const { output, ended } = run(t, ['--help']);
  t.same(await ended, { code: 0, signal: null });
  t.match(output.stdout, /^Usage: ptn-stream KEY \[HOST\] \[PORT\]/);
});

for (const [args, message] of [
  [[], /no API key: give it as KEY or in the variable PTN_API_KEY/],
  [['k', 'h', '99999'], /PORT must be a whole number from 1 to 65535/],
  [['k', 'h', '1', 'more'], /at most three arguments/],
  [['k', 'a/b'], /HOST must be/],
  [['k', '--since', 'x'], /--since must be a whole number/],
  [['k', '--nope'], /--nope/],
] as const) {
  await t.test(`the command line ${JSON.stringify(args)} is refused`, async (t) => {
    const { output, ended } = run(t, args);
    t.same(await ended, { code: 2, signal: null });
    t.match(output.stderr, message);
    t.equal(output.stderr.trim().split('\n').length, 1, 'in one line');
  });
}
