import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, isRunning, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import {
  ask,
  feedSpec,
  pidOf,
  replaced,
  restSpec,
  startedSupervisor,
  temporaryFolder,
} from './supervisor-fixture.ts';

/** Tells the feed worker what to do; renamed into place, so that it never finds an empty file. */
function orderFeed(flag: string, order: 'publish' | 'publish-keys'): void {
  writeFileSync(`${flag}.new`, order);
  renameSync(`${flag}.new`, flag);
}

void t.test('a worker that crashes is started again and handed what is retained', async (t) => {
  const { supervisor } = await startedSupervisor(t, { workers: [feedSpec(), restSpec(1)] });
  const { port } = supervisor.address().rest;
  const oldPid = pidOf(supervisor, 'rest-1');
  const crashed = once(supervisor.events, 'worker-crashed');
  await t.rejects(ask(port, '/crash'));
  t.match((await crashed) as unknown[], [
    'rest-1',
    { code: 3, signal: null, reason: 'it exited with code 3' },
  ]);

  const pid = await replaced(supervisor, 'rest-1', oldPid);
  const answer = await ask(port);
  t.match(answer, { pid, generation: 1, feedUp: true, received: { positions: 1, health: 1 } });
  t.match(supervisor.status().workers[1], { restarts: 1, lastExit: { code: 3 } });
});

void t.test('an error that nobody caught ends a worker, which is started again', async (t) => {
  const { supervisor } = await startedSupervisor(t, { workers: [restSpec(1)] });
  const oldPid = pidOf(supervisor, 'rest-1');
  const crashed = once(supervisor.events, 'worker-crashed');
  await ask(supervisor.address().rest.port, '/reject').catch(() => undefined);
  t.match((await crashed) as unknown[], ['rest-1', { code: 1, signal: null }]);
  await replaced(supervisor, 'rest-1', oldPid);
});

void t.test(
  'without the feed REST serves the last state; a new feed goes on from its generation',
  async (t) => {
    const { supervisor } = await startedSupervisor(t, { workers: [feedSpec(), restSpec(1)] });
    const { port } = supervisor.address().rest;
    const down = once(supervisor.events, 'worker-down');
    const up = once(supervisor.events, 'worker-ready');
    process.kill(pidOf(supervisor, 'feed'), 'SIGKILL');

    t.equal((await down)[0], 'feed');
    t.match(await ask(port), { generation: 1, feedUp: false });
    t.equal((await up)[0], 'feed');
    t.match(await ask(port), { generation: 2, feedUp: true });
  },
);

void t.test('a worker that hangs is killed and started again', async (t) => {
  const heartbeat = { pingEveryMs: 50, missedPings: 6 };
  const { supervisor } = await startedSupervisor(t, { heartbeat, workers: [restSpec(1)] });
  const { port } = supervisor.address().rest;
  const oldPid = pidOf(supervisor, 'rest-1');
  const crashed = once(supervisor.events, 'worker-crashed');
  await t.rejects(ask(port, '/hang'));
  t.match((await crashed) as unknown[], ['rest-1', { signal: 'SIGKILL', reason: /did not answer 6 pings/ }]);
  t.notOk(isRunning(oldPid));
  t.equal((await ask(port)).pid, await replaced(supervisor, 'rest-1', oldPid));
});

void t.test('a worker that may be inspected stands as long as it likes', async (t) => {
  const heartbeat = { pingEveryMs: 20, missedPings: 2 };
  const inspectPort = await freePort();
  const { supervisor } = await startedSupervisor(t, {
    heartbeat,
    workers: [{ ...restSpec(1), inspectPort }],
  });
  const pid = pidOf(supervisor, 'rest-1');
  const targets = await fetch(`http://127.0.0.1:${inspectPort}/json/list`);
  t.match(await targets.text(), /rest-worker/);
  process.kill(pid, 'SIGSTOP');
  t.teardown(() => process.kill(pid, 'SIGCONT'));
  // Ten times as long as another one would have.
  await delay(10 * heartbeat.pingEveryMs * (heartbeat.missedPings + 1));
  process.kill(pid, 'SIGCONT');
  t.equal((await ask(supervisor.address().rest.port)).pid, pid);
});

void t.test('restarts that fail only back off', async (t) => {
  const flag = join(temporaryFolder(t), 'flag');
  const { supervisor, lines } = await startedSupervisor(t, {
    workers: [restSpec(1, ['exit-while-flag', flag])],
  });
  writeFileSync(flag, '');
  process.kill(pidOf(supervisor, 'rest-1'), 'SIGKILL');
  await waitFor(() => (supervisor.status().workers[0]?.restarts ?? 0) >= 3, { what: 'three restarts' });
  rmSync(flag);
  await waitFor(() => supervisor.status().workers[0]?.state === 'ready', {
    what: 'the worker is ready again',
  });

  const alerts = lines.filter(({ event }) => event === 'worker-critical');
  t.equal(alerts.length, 1, 'the third crash alerts, the fourth does not again');
  t.match(alerts[0], { level: 60, worker: 'rest-1' });
  t.ok(lines.filter(({ event }) => event === 'worker-crashed').length >= 3);
});

void t.test('a worker that does not read catches up with the newest state alone', async (t) => {
  const flag = join(temporaryFolder(t), 'flag');
  const { supervisor } = await startedSupervisor(t, {
    workers: [feedSpec([flag]), restSpec(1), restSpec(2)],
  });
  const { port } = supervisor.address().rest;
  const slow = pidOf(supervisor, 'rest-1');
  const fast = pidOf(supervisor, 'rest-2');
  process.kill(slow, 'SIGSTOP');
  t.teardown(() => isRunning(slow) && process.kill(slow, 'SIGCONT'));
  orderFeed(flag, 'publish');
  const newest = { sizeBytes: 200_000, firstByte: 100 };
  // The stopped worker holds one of these connections; the other worker answers the rest.
  void ask(port).catch(() => undefined);
  await waitFor(async () => (await ask(port)).eliminations?.firstByte === newest.firstByte, {
    what: 'the fast worker has all of it',
  });
  process.kill(slow, 'SIGCONT');

  const answer = await waitFor(
    async () => {
      const { pid, eliminations, received } = await ask(port);
      return pid === slow && eliminations?.firstByte === newest.firstByte ? { eliminations, received } : null;
    },
    { what: 'the slow worker has caught up' },
  );
  t.same(answer.eliminations, newest);
  t.ok(
    (answer.received['eliminations'] ?? 0) <= 5,
    `received ${String(answer.received['eliminations'])} of 100`,
  );
  t.equal(pidOf(supervisor, 'rest-2'), fast);
});

void t.test('a feed may not publish what is the supervisor’s own', async (t) => {
  const flag = join(temporaryFolder(t), 'flag');
  const { supervisor, lines } = await startedSupervisor(t, { workers: [feedSpec([flag]), restSpec(1)] });
  supervisor.setKeys([{ sha256: 'ab', userId: 'someone', tier: 100 }]);
  orderFeed(flag, 'publish-keys');
  await waitFor(() => lines.find(({ event }) => event === 'publish-refused'), {
    what: 'the refusal is logged',
  });
  t.match(await ask(supervisor.address().rest.port), { userIds: ['someone'], eliminations: null });
});

void t.test('a worker that has too much memory for a while is replaced, and nobody is refused', async (t) => {
  const { supervisor, lines } = await startedSupervisor(t, {
    workers: [feedSpec(), { ...restSpec(1), maxRssBytes: 1 }],
    heartbeat: { pingEveryMs: 20, missedPings: 500 },
  });
  const { port } = supervisor.address().rest;
  const oldPid = pidOf(supervisor, 'rest-1');
  const state = { isReplaced: false };
  const asking = (async () => {
    while (!state.isReplaced) await ask(port);
  })();
  await replaced(supervisor, 'rest-1', oldPid);
  state.isReplaced = true;
  await asking;
  t.match(supervisor.status().workers[1], { restarts: 0 });
  const swollen = () => lines.filter(({ event }) => event === 'worker-swollen');
  t.match(swollen(), [{ worker: 'rest-1', level: 40 }]);
  // The new one has as much, and needs it: it is not replaced again and again.
  const pid = pidOf(supervisor, 'rest-1');
  for (let request = 0; request < 20; request++) await ask(port);
  t.equal(pidOf(supervisor, 'rest-1'), pid);
  t.equal(swollen().length, 1);
});
