import { once } from 'node:events';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Supervisor } from '../dist/supervisor.js';
import { ask, feedSpec, pidOf, replaced, restSpec, startedSupervisor, wsSpec } from './supervisor-fixture.ts';
import type { RestWorkerAnswer } from './workers/rest-worker.ts';

/** What the WebSocket worker with this process id answers: connections go to each in turn. */
function answerOf(supervisor: Supervisor, pid: number, path?: string): Promise<RestWorkerAnswer> {
  return waitFor(
    async () => {
      const answer = await ask(supervisor.address().ws.port, path);
      return answer.pid === pid ? answer : undefined;
    },
    { what: `worker ${pid} answers` },
  );
}

void t.test(
  'each port is served by the workers of its role, which are told what they have use for',
  async (t) => {
    const { supervisor } = await startedSupervisor(t, { workers: [feedSpec(), restSpec(1), wsSpec(1)] });
    const { rest, ws } = supervisor.address();
    t.not(rest.port, ws.port);
    for (const [port, id] of [
      [rest.port, 'rest-1'],
      [ws.port, 'ws-1'],
    ] as const) {
      const pids = new Set((await Promise.all([ask(port), ask(port), ask(port)])).map(({ pid }) => pid));
      t.same(pids, new Set([pidOf(supervisor, id)]));
    }
    t.equal((await ask(rest.port)).feedUp, true);
    t.equal((await ask(ws.port)).feedUp, false, 'a stream goes on whether the feed is there or not');
    t.equal((await ask(rest.port)).generation, 1);
    t.not((await ask(ws.port)).generation, 1, 'snapshots are for REST alone');
  },
);

void t.test('a connection is known to the other WebSocket worker until its process is killed', async (t) => {
  const { supervisor } = await startedSupervisor(t, { workers: [restSpec(1), wsSpec(1), wsSpec(2)] });
  const [first, second] = [pidOf(supervisor, 'ws-1'), pidOf(supervisor, 'ws-2')];
  await answerOf(supervisor, first, '/publish-connection');
  // Either worker may have answered a request that published: only those of the first matter here.
  const known = async (): Promise<boolean> =>
    (await answerOf(supervisor, second)).connections.includes(`${first}:1`);
  await waitFor(known, { what: 'the other knows of it' });
  t.same((await ask(supervisor.address().rest.port)).connections, [], 'REST is not told');

  const crashed = once(supervisor.events, 'worker-crashed');
  process.kill(first, 'SIGKILL');
  await crashed;
  await waitFor(async () => !(await known()), { what: 'the other has forgotten it' });
  const next = await replaced(supervisor, 'ws-1', first);
  t.notOk((await answerOf(supervisor, next)).connections.includes(`${first}:1`));
});

void t.test('a rolling restart replaces WebSocket workers, whose connections are forgotten', async (t) => {
  const { supervisor } = await startedSupervisor(t, { workers: [wsSpec(1)] });
  const { port } = supervisor.address().ws;
  const old = pidOf(supervisor, 'ws-1');
  await ask(port, '/publish-connection');
  await waitFor(async () => (await ask(port)).connections.includes(`${old}:1`), { what: 'it is kept' });
  t.equal(await supervisor.rollingRestart(), true);
  const answer = await ask(port);
  t.not(answer.pid, old);
  t.same(answer.connections, []);
});
