// The program's side: handlers that are slow or throw, the cursor, the end.
import type { ReceivedOrder } from '@ptn-api/client';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { startFakeServer, streamOrder } from './fake-server.ts';
import { follow } from './stream-fixture.ts';

const start = { sequence: 0, epoch: 'log-1' };

/** A handler that is done when the test says so. */
function gated() {
  const calls: number[][] = [];
  let release: () => void = () => undefined;
  return {
    calls,
    release: () => {
      release();
    },
    onOrders: async (orders: readonly ReceivedOrder[]) => {
      calls.push(orders.map(({ sequence }) => sequence));
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    },
  };
}

await t.test('one call at a time, with everything that waits; the cursor follows the call', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(1);
    },
  });
  const gate = gated();
  const followed = follow(t, { url: server.url, start, onOrders: gate.onOrders });
  t.teardown(gate.release);
  await followed.client.start();
  await waitFor(() => gate.calls.length === 1, { what: 'the first call' });
  server.sessions[0]?.orders(2, 3);
  server.sessions[0]?.orders(4);
  server.sessions[0]?.send('not JSON');
  await waitFor(() => followed.errors.length === 1, { what: 'what was sent last is there' });
  t.same(gate.calls, [[1]], 'not before the first is done');
  t.equal(followed.store.load(), null, 'and the cursor neither');
  gate.release();
  await waitFor(() => gate.calls.length === 2, { what: 'the second call' });
  t.same(gate.calls, [[1], [2, 3, 4]]);
  t.same(followed.store.load(), { sequence: 1, epoch: 'log-1' });
  gate.release();
  await waitFor(() => followed.store.load()?.sequence === 4, { what: 'the cursor is saved' });
});

await t.test('a handler that throws ends the client with the cursor before its orders', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(1);
    },
  });
  const failure = new Error('the broker is closed');
  let fails = false;
  const followed = follow(t, {
    url: server.url,
    start,
    onOrders: async () => {
      await Promise.resolve();
      if (fails) throw failure;
    },
  });
  await followed.client.start();
  await waitFor(() => followed.store.load()?.sequence === 1, { what: 'the first order is worked on' });
  fails = true;
  server.sessions[0]?.orders(2, 3);
  t.equal(await followed.client.finished, failure);
  t.same(followed.errors, [failure]);
  t.same(followed.store.load(), { sequence: 1, epoch: 'log-1' });
  t.equal(followed.client.state, 'failed');
});

for (const name of ['onGap', 'onState', 'onError'] as const) {
  await t.test(`so does ${name} that throws`, async (t) => {
    const server = await startFakeServer(t, {
      onSession: (session) => {
        session.accept();
        session.send('not JSON');
        session.send({ type: 'gap', from: 1, to: 5 });
      },
    });
    const failure = new Error(`${name} is broken`);
    const followed = follow(t, {
      url: server.url,
      start,
      [name]: () => {
        throw failure;
      },
    });
    void followed.client.start().catch(() => undefined);
    t.equal(await followed.client.finished, failure);
    t.equal(followed.store.load(), null);
  });
}

await t.test('so does a cursor that cannot be saved', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(1);
    },
  });
  const failure = new Error('the disk is full');
  const cursorStore = { load: () => null, save: () => Promise.reject(failure) };
  const followed = follow(t, { url: server.url, start, cursorStore });
  await followed.client.start();
  t.equal(await followed.client.finished, failure);
});

await t.test('a broken cursor ends it before it connects', async (t) => {
  const server = await startFakeServer(t, { onSession: () => undefined });
  const cursorStore = { load: () => ({ sequence: 1.5, epoch: null }), save: () => undefined };
  const followed = follow(t, { url: server.url, cursorStore });
  await t.rejects(followed.client.start(), /cursorStore.load gave something else/);
  t.equal(server.sessions.length, 0);
});

await t.test('stop lets the running handler finish, saves its cursor and gives no more', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(1);
    },
  });
  const gate = gated();
  const followed = follow(t, { url: server.url, start, onOrders: gate.onOrders });
  await followed.client.start();
  await waitFor(() => gate.calls.length === 1, { what: 'the first call' });
  server.sessions[0]?.orders(2);
  server.sessions[0]?.send('not JSON');
  await waitFor(() => followed.errors.length === 1, { what: 'what was sent last is there' });
  let isStopped = false;
  const stopping = followed.client.stop().then(() => {
    isStopped = true;
  });
  await waitFor(() => server.sessions[0]?.socket.readyState === 3, { what: 'the connection is closed' });
  t.equal(isStopped, false);
  gate.release();
  await stopping;
  t.same(gate.calls, [[1]]);
  t.same(followed.store.load(), { sequence: 1, epoch: 'log-1' });
  t.equal(await followed.client.finished, null);
  t.equal(followed.client.state, 'stopped');
  t.same(followed.clock.delays, []);
});

await t.test('stop while it waits, before it connects and twice', async (t) => {
  const waiting = follow(t, { url: 'ws://127.0.0.1:1', start });
  const starting = waiting.client.start();
  await Promise.all([
    t.rejects(starting, /the stream client was stopped/),
    waiting.backoffMs().then(() => waiting.client.stop()),
  ]);
  await waiting.client.stop();
  t.same(waiting.clock.delays, []);
  const idle = follow(t, { url: 'ws://127.0.0.1:1', start });
  await idle.client.stop();
  t.equal(idle.client.state, 'stopped');
  await t.rejects(idle.client.start(), /started once/);
});

await t.test('a slow handler stops the reading: what waits is bounded', async (t) => {
  const padding = 'x'.repeat(100_000);
  const total = 300;
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: total });
      for (let sequence = 1; sequence <= total; sequence++) session.send(streamOrder(sequence, { padding }));
    },
  });
  const gate = gated();
  const followed = follow(t, {
    url: server.url,
    start,
    onOrders: gate.onOrders,
    maxWaitingSize: 1_000_000,
  });
  await followed.client.start();
  await waitFor(() => (server.sessions[0]?.socket.bufferedAmount ?? 0) > 1_000_000, {
    what: 'the server cannot send on',
  });
  const callsOf = (): number => gate.calls.flat().length;
  while (callsOf() < total) {
    const before = gate.calls.length;
    gate.release();
    await waitFor(() => gate.calls.length > before, { what: () => `more than ${callsOf()} orders` });
  }
  gate.release();
  const most = Math.max(...gate.calls.map(({ length }) => length));
  t.ok(most <= 12, `at most ${most} orders of 100 kB waited`);
  t.same(
    gate.calls.flat(),
    Array.from({ length: total }, (_, index) => index + 1),
  );
  t.equal(server.sessions.length, 1);
});
