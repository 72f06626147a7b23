import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  addOrder,
  isRunning,
  makePosition,
  makePtnRoot,
  positionPath,
  startServer,
  waitFor,
} from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import t from 'tap';

const FAKE_CLI = fileURLToPath(new URL('../../testkit/fixtures/fake-cli.mjs', import.meta.url));

/** A test within a test: its teardowns run when it is told to end. */
function innerScope(): TestScope & { end(): Promise<void> } {
  const teardowns: (() => void | Promise<void>)[] = [];
  return {
    teardown: (fn) => teardowns.push(fn),
    async end() {
      for (const teardown of teardowns.reverse()) await teardown();
    },
  };
}

void t.test('waitFor gives what the condition gives, or says what it waited for', async (t) => {
  let asked = 0;
  t.equal(await waitFor(() => (++asked < 3 ? undefined : 'there'), { what: 'it is there' }), 'there');
  const cause = new Error('not yet');
  const failing = (): never => {
    throw cause;
  };
  await t.rejects(waitFor(failing, { what: () => 'a wonder', timeoutMs: 30 }), {
    message: 'waited 30 ms in vain: a wonder',
    cause,
  });
});

void t.test('a PTN_ROOT has what it is made with and is removed after the test', async (t) => {
  const scope = innerScope();
  const position = makePosition({ orders: [{ timeMs: 1_762_000_000_000 }] });
  const root = makePtnRoot(scope, {
    positions: [position],
    outputs: '{}',
    keys: { alice: { key: 'k', tier: 100 } },
    files: { 'runnable/minerstatistics.json': '{"data": []}' },
  });
  const read = (path: string): unknown => JSON.parse(readFileSync(root.join(path), 'utf8'));
  t.strictSame(read(positionPath(position)), position);
  t.strictSame(read('ptn_api/api_keys.json'), { alice: { key: 'k', tier: 100 } });
  t.strictSame(read('runnable/minerstatistics.json'), { data: [] });
  t.strictSame(read('validation/outputs/output.json'), {});
  t.strictSame(readdirSync(root.join('validation/tmp')), []);
  await scope.end();
  t.notOk(existsSync(root.path));
});

void t.test('a closing position moves from open to closed', (t) => {
  const root = makePtnRoot(t);
  const open = makePosition({
    pair: 'EURUSD',
    orders: [{ timeMs: 1_762_000_000_000, leverage: -1, price: 2 }],
  });
  const closed = addOrder(open, { type: 'FLAT', timeMs: 1_762_000_100_000, price: 1 });
  t.match(closed, { is_closed_position: true, close_ms: 1_762_000_100_000, current_return: 1.5 });
  const openPath = root.writePosition(open);
  const closedPath = root.writePosition(closed);
  t.strictSame([existsSync(openPath), existsSync(closedPath)], [false, true]);
  root.removePosition(closed);
  t.notOk(existsSync(closedPath));
  t.end();
});

void t.test('a server is started, tells where it is, and is stopped with the test', async (t) => {
  const scope = innerScope();
  const server = await startServer(scope, { root: '/nowhere', cliPath: FAKE_CLI, env: { FAKE: 'ready' } });
  t.match(
    server.output(),
    /"args":\["--serve","--ptn-root","\/nowhere","--api-host","127.0.0.1","--api-rest-port","0","--api-ws-port","0","--rest-workers","1","--rate-limit","0","--admin-port","off"\]/,
  );
  t.equal(server.url, 'http://127.0.0.1:4321');
  t.equal(server.wsUrl, 'ws://127.0.0.1:8765');
  const [worker] = server.childPids();
  if (worker === undefined) throw new Error('it has a worker');
  t.ok(isRunning(worker) && isRunning(server.pid));
  await scope.end();
  t.notOk(isRunning(worker) || isRunning(server.pid));
});

void t.test('a flag of the test replaces the usual one', async (t) => {
  const options = {
    root: '/nowhere',
    cliPath: FAKE_CLI,
    args: ['--api-rest-port=5'],
    env: { FAKE: 'ready' },
  };
  const server = await startServer(t, options);
  t.match(
    server.output(),
    /"args":\["--serve","--ptn-root","\/nowhere","--api-host","127.0.0.1","--api-ws-port","0","--rest-workers","1","--rate-limit","0","--admin-port","off","--api-rest-port=5"\]/,
  );
  t.strictSame(await server.stop(), { code: 0, signal: null });
});

void t.test('a server can be killed', async (t) => {
  const server = await startServer(t, { root: '/nowhere', cliPath: FAKE_CLI, env: { FAKE: 'ready' } });
  server.kill('SIGKILL');
  t.strictSame(await server.exited, { code: null, signal: 'SIGKILL' });
});

void t.test('a worker that outlives its server is ended and reported', async (t) => {
  const scope = innerScope();
  const server = await startServer(scope, {
    root: '/nowhere',
    cliPath: FAKE_CLI,
    env: { FAKE: 'orphan' },
    orphanTimeoutMs: 200,
  });
  const [worker] = server.childPids();
  if (worker === undefined) throw new Error('it has a worker');
  await t.rejects(scope.end(), /the workers of the server end with it/);
  await waitFor(() => !isRunning(worker), { what: 'the worker is gone' });
});

void t.test('a server that ends before it is ready is an error with what it printed', async (t) => {
  const failing = startServer(t, { root: '/nowhere', cliPath: FAKE_CLI, env: { FAKE: 'fail' } });
  await t.rejects(failing, /ended before it was ready, code 4, signal null:\nno key file/);
  await t.rejects(startServer(t, { root: '/nowhere', cliPath: '/nowhere/cli.js' }), /no built server at/);
});
