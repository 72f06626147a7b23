import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childPidsOf, isRunning, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import type { WorkerSpec } from '../dist/worker-spec.js';
import { testConfig } from '../../runtime/dist-test/config-fixture.js';
import { ask, feedSpec, restSpec, temporaryFolder, workerPath, wsSpec } from './supervisor-fixture.ts';
import type { LogLine } from './supervisor-fixture.ts';

interface SupervisorProcess {
  readonly pid: number;
  readonly lines: LogLine[];
  readonly childPids: () => number[];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  line(event: string): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  send(message: string): void;
}

/** The supervisor in a process of its own, which is killed after the test if it still runs. */
function spawnSupervisor(t: Test, workers: readonly WorkerSpec[], stopWithinMs = 5000): SupervisorProcess {
  const keys = join(temporaryFolder(t), 'api_keys.json');
  writeFileSync(keys, '{"someone": "a-key-of-the-test"}', { mode: 0o600 });
  const config = testConfig({ apiKeysPaths: [keys] });
  const child = fork(workerPath('supervisor-process'), [JSON.stringify({ config, workers, stopWithinMs })], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });

  const lines: LogLine[] = [];
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as LogLine));
  });
  const pid = child.pid ?? 0;
  return {
    pid,
    lines,
    exited,
    childPids: () => childPidsOf(pid),
    line: (event) =>
      waitFor(() => lines.find((line) => line['event'] === event), {
        what: () => `log line ${event}\n${lines.map((line) => JSON.stringify(line)).join('\n')}`,
      }),
    kill: (signal) => child.kill(signal),
    send: (message) => child.send(message),
  };
}

function stoppedWorkers({ lines }: SupervisorProcess): unknown[] {
  return lines.filter(({ event }) => event === 'worker-stopped').map(({ worker }) => worker);
}

void t.test('SIGTERM stops the workers in reverse order and exits 0', async (t) => {
  const server = spawnSupervisor(t, [feedSpec(), restSpec(1), restSpec(2), wsSpec(1)]);
  await server.line('listening');
  const pids = server.childPids();
  t.equal(pids.length, 4);
  server.kill('SIGTERM');
  t.same(await server.exited, { code: 0, signal: null });
  t.equal(stoppedWorkers(server).at(-1), 'feed');
  t.same(new Set(stoppedWorkers(server)), new Set(['feed', 'rest-1', 'rest-2', 'ws-1']));
  t.notOk(pids.some(isRunning));
});

void t.test('pm2 is notified when the server serves, and its message shutdown stops it', async (t) => {
  const server = spawnSupervisor(t, [restSpec(1)]);
  const { port } = await server.line('listening');
  t.ok((await ask(Number(port))).pid);
  server.send('shutdown');
  t.same(await server.exited, { code: 0, signal: null });
});

void t.test('the log says where REST and where WebSocket answers', async (t) => {
  const server = spawnSupervisor(t, [restSpec(1), wsSpec(1)]);
  const ws = await server.line('listening-ws');
  const rest = await server.line('listening');
  t.match([rest, ws], [{ host: '127.0.0.1' }, { host: '127.0.0.1' }]);
  const answers = await Promise.all([rest, ws].map(({ port }) => ask(Number(port))));
  const ready = server.lines.filter(({ event }) => event === 'worker-ready');
  t.match(ready, [
    { worker: 'rest-1', child: answers[0]?.pid },
    { worker: 'ws-1', child: answers[1]?.pid },
  ]);
});

void t.test('signals of the terminal do not end workers, only their supervisor does', async (t) => {
  const server = spawnSupervisor(t, [restSpec(1)]);
  const { port } = await server.line('listening');
  const [pid = 0] = server.childPids();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
  t.equal((await ask(Number(port))).pid, pid);
  server.kill('SIGINT');
  t.same(await server.exited, { code: 0, signal: null });
  t.match(
    server.lines.find(({ event }) => event === 'worker-stopped'),
    { exit: { code: 0, signal: null } },
  );
});

void t.test('a worker that does not drain is killed when its time is over', async (t) => {
  const server = spawnSupervisor(t, [feedSpec(), restSpec(1), wsSpec(1, ['ignore-drain'])], 600);
  await server.line('listening');
  server.kill('SIGTERM');
  t.same(await server.exited, { code: 0, signal: null });
  const [rest, ws, feed] = server.lines.filter(({ event }) => event === 'worker-stopped');
  t.match(ws, { worker: 'ws-1', exit: { signal: 'SIGKILL', reason: /was not drained within/ } });
  t.match(rest, { worker: 'rest-1', exit: { code: 0 } }, 'who serves is drained at the same time');
  t.match(feed, { worker: 'feed', exit: { code: 0 } }, 'it does not take the time of the others');
});

void t.test('a second signal stops at once and exits 1', async (t) => {
  const server = spawnSupervisor(t, [feedSpec(), restSpec(1, ['ignore-drain'])], 60_000);
  await server.line('listening');
  const pids = server.childPids();
  server.kill('SIGTERM');
  await server.line('stopping');
  server.kill('SIGTERM');
  t.same(await server.exited, { code: 1, signal: null });
  t.notOk(pids.some(isRunning));
});

void t.test('workers end by themselves when their supervisor is killed', async (t) => {
  const server = spawnSupervisor(t, [feedSpec(), restSpec(1), restSpec(2)]);
  await server.line('listening');
  const pids = server.childPids();
  server.kill('SIGKILL');
  t.same(await server.exited, { code: null, signal: 'SIGKILL' });
  await waitFor(() => !pids.some(isRunning), { what: 'the workers are gone' });
  t.equal(pids.length, 3);
});

void t.test('SIGHUP replaces the workers', async (t) => {
  const server = spawnSupervisor(t, [feedSpec(), restSpec(1)]);
  const { port } = await server.line('listening');
  const before = server.childPids();
  server.kill('SIGHUP');
  await server.line('rolling-restart-done');
  const after = server.childPids();
  t.equal(after.length, 2);
  t.notOk(after.some((pid) => before.includes(pid)));
  t.equal((await ask(Number(port))).generation, 2);
});

void t.test('a server that cannot start ends with the error that says why', async (t) => {
  const server = spawnSupervisor(t, [feedSpec(), restSpec(1, ['fatal-on-start'])]);
  t.match(await server.line('start-error'), {
    detail: 'The rest-1 worker did not start: the disk is on fire',
  });
  t.same(await server.exited, { code: 7, signal: null });
  t.same(
    server.lines.filter(({ level }) => Number(level) >= 50),
    [],
    'nothing else is reported as an error',
  );
});
