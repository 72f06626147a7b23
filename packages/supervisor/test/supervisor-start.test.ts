import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { childPidsOf } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { StartError } from '../../runtime/dist/start-error.js';
import type { Supervisor } from '../dist/supervisor.js';
import { serverWorkers } from '../dist/worker-spec.js';
import type { WorkerSpec } from '../dist/worker-spec.js';
import { testConfig } from '../../runtime/dist-test/config-fixture.js';
import { ask, feedSpec, makeSupervisor, restSpec, startedSupervisor } from './supervisor-fixture.ts';

async function startError(supervisor: Supervisor): Promise<StartError> {
  const error: unknown = await supervisor.start().catch((reason: unknown) => reason);
  if (!(error instanceof StartError))
    throw new Error('the start did not fail with a StartError', { cause: error });
  return error;
}

/** The error of a start with these workers, after which nothing of it runs. */
async function failedStart(t: Test, workers: readonly WorkerSpec[]): Promise<StartError> {
  const { supervisor } = makeSupervisor(t, { workers });
  const error = await startError(supervisor);
  t.same(childPidsOf(process.pid), [], 'nothing is left running');
  t.same(
    supervisor.status().workers.map(({ state }) => state),
    workers.map(() => 'stopped'),
  );
  return error;
}

void t.test('once started, every worker is ready and REST serves what the feed published', async (t) => {
  const { supervisor } = makeSupervisor(t, { workers: [feedSpec(), restSpec(1), restSpec(2)] });
  supervisor.setKeys([{ sha256: 'ab', userId: 'someone', tier: 100 }]);
  await supervisor.start();

  const { port, host } = supervisor.address().rest;
  t.equal(host, '127.0.0.1');
  const { workers } = supervisor.status();
  t.same(
    workers.map(({ id, state, restarts }) => [id, state, restarts]),
    [
      ['feed', 'ready', 0],
      ['rest-1', 'ready', 0],
      ['rest-2', 'ready', 0],
    ],
  );
  const answers = await Promise.all([1, 2, 3, 4].map(() => ask(port)));
  t.same(
    new Set(answers.map(({ pid }) => pid)),
    new Set(workers.slice(1).map(({ pid }) => pid)),
    'both serve',
  );
  for (const { generation, feedUp, userIds } of answers) {
    t.same({ generation, feedUp, userIds }, { generation: 1, feedUp: true, userIds: ['someone'] });
  }
});

void t.test('keys that change reach the workers', async (t) => {
  const { supervisor } = await startedSupervisor(t, { workers: [restSpec(1)] });
  supervisor.setKeys([{ sha256: 'cd', userId: 'new', tier: 30 }]);
  t.same((await ask(supervisor.address().rest.port)).userIds, ['new']);
});

void t.test('a worker that exits while starting ends the start', async (t) => {
  const error = await failedStart(t, [feedSpec(), restSpec(1, ['exit-on-start'])]);
  t.equal(error.message, 'The rest-1 worker did not start: it exited with code 9');
  t.equal(error.exitCode, 7);
});

void t.test('a worker that gives up while starting ends the start with its reason', async (t) => {
  const error = await failedStart(t, [feedSpec(), restSpec(1, ['fatal-on-start'])]);
  t.equal(error.message, 'The rest-1 worker did not start: the disk is on fire');
});

void t.test('an error thrown by the start of a worker is the reason', async (t) => {
  const error = await failedStart(t, [restSpec(1, ['throw-on-start'])]);
  t.equal(error.message, 'The rest-1 worker did not start: thrown in onStart');
});

void t.test('a worker that is not ready in time ends the start', async (t) => {
  const error = await failedStart(t, [feedSpec(), restSpec(1, ['never-ready'], 700)]);
  t.equal(error.message, 'The rest-1 worker did not start: it was not ready within 700 ms');
});

void t.test('a worker whose program is missing ends the start', async (t) => {
  const error = await failedStart(t, [{ ...restSpec(1), modulePath: '/nowhere/worker.js' }]);
  t.equal(error.message, 'The rest-1 worker did not start: it exited with code 1');
});

void t.test('a worker that ends while later ones start ends the start', async (t) => {
  const error = await failedStart(t, [restSpec(1, ['crash-when-ready']), restSpec(2, ['never-ready'], 5000)]);
  t.equal(error.message, 'The rest-1 worker did not start: it exited with code 7');
});

for (const [option, flag] of [
  ['restPort', '--api-rest-port'],
  ['wsPort', '--api-ws-port'],
] as const) {
  void t.test(`a ${option} in use ends the start before any worker is started`, async (t) => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    t.teardown(() => holder.close());
    const { port } = holder.address() as AddressInfo;
    const config = testConfig({ [option]: port });
    const { supervisor } = makeSupervisor(t, { config, workers: [feedSpec()] });

    const error = await startError(supervisor);
    t.equal(error.code, 'PTN_ERR_START_PORT');
    t.match(error.message, `Cannot listen on 127.0.0.1:${port}: the port is in use`);
    t.ok(error.message.endsWith(`choose another with ${flag}`), error.message);
    t.equal(supervisor.status().workers[0]?.startedAtMs, undefined);
  });
}

const PROGRAMS = { feed: '/feed.js', rest: '/rest.js', ws: '/ws.js' };

void t.test('the workers start as feed, REST, WebSocket, as many as are configured', (t) => {
  const specs = serverWorkers(testConfig({ restWorkers: 2, wsWorkers: 2 }), PROGRAMS);
  t.same(
    specs.map(({ id, role, replacement }) => [id, role, replacement]),
    [
      ['feed', 'feed', 'after-stop'],
      ['rest-1', 'rest', 'before-stop'],
      ['rest-2', 'rest', 'before-stop'],
      ['ws-1', 'ws', 'before-stop'],
      ['ws-2', 'ws', 'before-stop'],
    ],
  );
  t.same(
    specs.map(({ modulePath }) => modulePath),
    ['/feed.js', '/rest.js', '/rest.js', '/ws.js', '/ws.js'],
  );
  t.end();
});

void t.test('a stop during the start ends what was started', async (t) => {
  const { supervisor } = makeSupervisor(t, { workers: [feedSpec(), restSpec(1, ['never-ready'])] });
  const failure = startError(supervisor);
  await once(supervisor.events, 'worker-ready');
  await supervisor.stop();
  await failure;
  t.same(childPidsOf(process.pid), []);
});

void t.test('with --inspect each worker has a port for a debugger, else none', (t) => {
  const ports = (inspect: boolean) =>
    serverWorkers(testConfig({ restWorkers: 1, wsWorkers: 1, inspect }), PROGRAMS).map(
      (spec) => spec.inspectPort,
    );
  t.same(ports(true), [9230, 9231, 9232]);
  t.same(ports(false), [undefined, undefined, undefined]);
  t.end();
});
