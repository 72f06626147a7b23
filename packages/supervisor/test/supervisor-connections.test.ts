import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { Listener } from '../dist/listener.js';
import type { ConnectionTarget, ListenerLimits } from '../dist/listener.js';
import type { Taken } from '../dist/handover.js';
import { ask, feedSpec, memoryLog, pidOf, restSpec, startedSupervisor } from './supervisor-fixture.ts';
import type { LogLine } from './supervisor-fixture.ts';

async function listening(
  t: Test,
  limits?: ListenerLimits,
  perAddress?: { add: (address: string) => number | undefined },
): Promise<{ listener: Listener; open: () => Socket; lines: LogLine[] }> {
  const { log, lines } = memoryLog();
  const listener = new Listener(log, limits, perAddress);
  t.teardown(() => listener.close(0));
  await listener.listen({ host: '127.0.0.1', port: 0, flag: '--port' });
  const open = (): Socket => {
    const client = connect(listener.address()?.port ?? 0, '127.0.0.1');
    client.on('error', () => client.destroy());
    t.teardown(() => client.destroy());
    return client;
  };
  return { listener, open, lines };
}

/** A target that takes connections when told to. */
class TestTarget implements ConnectionTarget {
  readonly offered: ((taken: Taken) => void)[] = [];

  takeConnection(): Promise<Taken> {
    return new Promise((resolve) => this.offered.push(resolve));
  }
}

void t.test('connections wait for the first worker', async (t) => {
  const { listener, open } = await listening(t);
  open();
  open();
  await waitFor(() => listener.counts().waiting === 2, { what: 'both wait' });
  const target = new TestTarget();
  listener.add(target);
  t.equal(target.offered.length, 1, 'one at a time');
  target.offered[0]?.('taken');
  await waitFor(() => target.offered.length === 2, { what: 'the second is offered' });
  t.same(listener.counts(), { waiting: 0, dropped: 0 });
});

void t.test('a connection that a worker did not take goes to another', async (t) => {
  const { listener, open } = await listening(t);
  const dying = new TestTarget();
  const other = new TestTarget();
  listener.add(dying);
  const client = open();
  await waitFor(() => dying.offered.length === 1, { what: 'it is offered' });
  listener.add(other);
  dying.offered[0]?.('not-taken');
  await waitFor(() => other.offered.length === 1, { what: 'the other has it' });
  t.equal(dying.offered.length, 1, 'a worker that has ended is offered nothing more');
  t.notOk(client.closed);
});

void t.test('a removed worker is given nothing more', async (t) => {
  const { listener, open } = await listening(t);
  const target = new TestTarget();
  listener.add(target);
  open();
  await waitFor(() => target.offered.length === 1, { what: 'it is offered' });
  listener.remove(target);
  target.offered[0]?.('taken');
  open();
  await waitFor(() => listener.counts().waiting === 1, { what: 'the second waits' });
  t.equal(target.offered.length, 1);
});

void t.test('more connections than may wait are dropped, counted and logged', async (t) => {
  const { listener, open, lines } = await listening(t, { waiting: 2, waitingMs: 60_000 });
  const clients = [open(), open(), open(), open()];
  await waitFor(() => clients.filter(({ closed }) => closed).length === 2, { what: 'two are closed' });
  t.same(listener.counts(), { waiting: 2, dropped: 2 });
  const line = await waitFor(() => lines.find(({ event }) => event === 'connections-dropped'), {
    what: 'a log line',
  });
  t.match(line, { level: 40, count: 2 });
});

void t.test('an address that opens too many connections is closed before a worker hears of it', async (t) => {
  const asked: string[] = [];
  const { listener, open, lines } = await listening(t, undefined, {
    add: (address) => (asked.push(address) > 2 ? 60 : undefined),
  });
  const clients = [open(), open(), open()];
  await waitFor(() => clients.filter(({ closed }) => closed).length === 1, { what: 'the third is closed' });
  t.same(asked, ['127.0.0.1', '127.0.0.1', '127.0.0.1']);
  t.same(listener.counts(), { waiting: 2, dropped: 1 });
  const line = await waitFor(() => lines.find(({ event }) => event === 'connections-dropped'), {
    what: 'a log line',
  });
  t.match(line, { level: 40, count: 1, reason: /its address had opened 6000/ });
});

void t.test('a connection does not wait longer than it may', async (t) => {
  const { listener, open } = await listening(t, { waiting: 10, waitingMs: 50 });
  await once(open(), 'close');
  t.same(listener.counts(), { waiting: 0, dropped: 1 });
});

void t.test('closing gives the workers what waits', async (t) => {
  const { listener, open } = await listening(t);
  const target = new TestTarget();
  listener.add(target);
  open();
  const second = open();
  await waitFor(() => target.offered.length === 1 && listener.counts().waiting === 1, { what: 'one waits' });
  const closed = listener.close(60_000);
  target.offered[0]?.('taken');
  await waitFor(() => target.offered.length === 2, { what: 'the second is offered' });
  target.offered[1]?.('taken');
  await closed;
  t.equal(listener.counts().dropped, 0);
  t.equal(listener.address(), undefined);
  second.destroy();
});

void t.test('a connection that is lost on its way is closed, and its worker gets the next', async (t) => {
  const { supervisor, lines } = await startedSupervisor(t, {
    workers: [restSpec(1, ['lose-connections', '3'])],
    heartbeat: { pingEveryMs: 50, missedPings: 100 },
  });
  const { port } = supervisor.address().rest;
  const pid = pidOf(supervisor, 'rest-1');
  const lost = Array.from({ length: 3 }, () => connect(port, '127.0.0.1'));
  await Promise.all(lost.map((client) => once(client.resume(), 'close')));
  t.equal((await ask(port)).pid, pid);
  t.equal(supervisor.status().connections.rest.dropped, 3);
  const line = await waitFor(() => lines.find(({ event }) => event === 'connections-dropped'), {
    what: 'a log line',
  });
  t.match(line, { reason: 'it did not reach its worker' });
});

void t.test(
  'connections to a worker that is killed before it took them are served by the next',
  async (t) => {
    const { supervisor } = await startedSupervisor(t, { workers: [restSpec(1)] });
    const { port } = supervisor.address().rest;
    const pid = pidOf(supervisor, 'rest-1');
    process.kill(pid, 'SIGSTOP');
    const answers = Promise.all(Array.from({ length: 20 }, () => ask(port)));
    // One of them is on its way to the stopped worker.
    await waitFor(() => supervisor.status().connections.rest.waiting === 19, { what: 'the others wait' });
    process.kill(pid, 'SIGKILL');
    const pids = new Set((await answers).map((answer) => answer.pid));
    t.same(pids, new Set([pidOf(supervisor, 'rest-1')]));
    t.notOk(pids.has(pid));
  },
);

void t.test('a rolling restart replaces every worker and refuses no connection', async (t) => {
  const { supervisor } = await startedSupervisor(t, { workers: [feedSpec(), restSpec(1), restSpec(2)] });
  const { port } = supervisor.address().rest;
  const pids = (): unknown[] => supervisor.status().workers.map(({ pid }) => pid);
  const before = pids();
  let isRolling = true;
  let answered = 0;
  const clients = [1, 2, 3].map(async () => {
    while (isRolling) {
      await ask(port);
      answered += 1;
    }
  });
  const rolled = supervisor.rollingRestart().finally(() => (isRolling = false));
  // Together: a client that is refused fails the test at once, and not unseen while the workers are replaced.
  const [isReplaced] = await Promise.all([rolled, ...clients]);
  t.equal(isReplaced, true);

  t.ok(answered > 20, `${answered} answers`);
  t.notOk(
    pids().some((pid) => before.includes(pid)),
    'every process is new',
  );
  t.same(
    supervisor.status().workers.map(({ state, restarts }) => [state, restarts]),
    [
      ['ready', 0],
      ['ready', 0],
      ['ready', 0],
    ],
  );
  t.match(await ask(port), { generation: 2, feedUp: true });
});
