import { PtnRestError } from '@ptn-api/client';
import type { DashboardMap } from '@ptn-api/protocol';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { Replica } from '../dist/replica.js';
import type { ReplicaSettings } from '../dist/replica-parts.js';
import { HeldRest, ModelServer, ModelStream } from './replica-fixture.ts';

function contentOf(replica: Replica): DashboardMap {
  return Object.fromEntries(replica.positions);
}

/** A replica of a model with miner `a` and its position `p`; nothing is asked for by time unless the test says so. */
async function started(t: Test, settings: ReplicaSettings = {}) {
  const server = new ModelServer();
  server.place('a', 'p');
  server.publish();
  const rest = new HeldRest(server);
  const streams: ModelStream[] = [];
  const told: { hotkeys: readonly string[]; sequence: number }[] = [];
  const errors: Error[] = [];
  const replica = new Replica({
    rest,
    createStream: (wishes) => {
      const stream = new ModelStream(server, wishes);
      streams.push(stream);
      return stream;
    },
    pollMs: 1_000_000,
    gatherMs: 1_000_000,
    onChange: (hotkeys, sequence) => told.push({ hotkeys, sequence }),
    onError: (error) => errors.push(error),
    ...settings,
  });
  t.teardown(() => replica.stop());
  await replica.start();
  const stream = (): ModelStream => {
    const last = streams.at(-1);
    if (last === undefined) throw new Error('there is no stream');
    return last;
  };
  const orderUuids = (hotkey: string, uuid: string) =>
    replica
      .get(hotkey)
      ?.positions.find((position) => position.position_uuid === uuid)
      ?.orders.map(({ order_uuid: order }) => order);
  return { server, rest, replica, streams, stream, told, errors, orderUuids };
}

await t.test('start gives the snapshot and says so', async (t) => {
  const { server, replica, told, rest } = await started(t);
  t.same(contentOf(replica), server.published);
  t.same([replica.sequence, replica.epoch, replica.generation], [1, 'log-1', 101]);
  t.same(told, [{ hotkeys: ['a'], sequence: 1 }]);
  t.same(rest.asked, ['snapshot']);
});

await t.test('an order is there at once, without a request', async (t) => {
  const { server, replica, stream, told, rest, orderUuids } = await started(t);
  server.place('a', 'p');
  server.place('b', 'q');
  stream().deliver();
  t.same(orderUuids('a', 'p'), ['log-1-1', 'log-1-2']);
  t.match(replica.get('b'), { n_positions: 0, thirty_day_returns: 1, tier: 100 });
  t.same(told.at(-1), { hotkeys: ['a', 'b'], sequence: 3 });
  t.same(rest.asked, ['snapshot']);
});

await t.test('a map that was taken stays as it was', async (t) => {
  const { server, replica, stream } = await started(t);
  const taken = replica.positions;
  const before = structuredClone(Object.fromEntries(taken));
  server.place('a', 'p', true);
  stream().deliver();
  t.same(Object.fromEntries(taken), before);
  t.not(replica.positions, taken);
});

await t.test('what has no order event comes by the changes', async (t) => {
  const { server, replica, told } = await started(t);
  server.place('b', 'q');
  server.rewrite('a', 'p');
  server.publish();
  await replica.refresh();
  t.same(contentOf(replica), server.published);
  server.remove('b', 'q');
  server.publish();
  await replica.refresh();
  t.same(contentOf(replica), server.published);
  t.same(told.at(-1)?.hotkeys, ['b']);
  t.equal(replica.generation, server.generation);
});

await t.test('an order that a changes answer under way does not hold yet is not lost', async (t) => {
  const { server, rest, replica, stream, orderUuids } = await started(t);
  server.rewrite('a', 'p');
  server.publish();
  rest.isHeld = true;
  const refreshed = replica.refresh();
  await waitFor(() => rest.waiting === 1, { what: 'the request' });
  server.place('a', 'p');
  stream().deliver();
  rest.answer();
  await refreshed;
  t.same(orderUuids('a', 'p'), ['log-1-1', 'log-1-2']);
});

await t.test('a streamed position does not set back what an answer holds already', async (t) => {
  const { server, replica, stream, told } = await started(t);
  server.place('a', 'p');
  server.rewrite('a', 'p');
  // The answer holds the order and the new returns, and is sure of the orders before only.
  server.publish(1);
  await replica.refresh();
  const before = told.length;
  stream().deliver();
  t.same(contentOf(replica), server.published);
  t.equal(told.length, before, 'nothing changed, nothing is reported');
  server.publish();
  await replica.refresh();
  t.same(contentOf(replica), server.published);
});

await t.test('a position that was deleted after its order does not come back', async (t) => {
  const { server, replica, stream } = await started(t);
  server.place('a', 'gone-soon');
  stream().deliver();
  server.remove('a', 'gone-soon');
  server.publish();
  await replica.refresh();
  t.same(contentOf(replica), server.published);
});

await t.test('an order that an answer was ahead of is not applied again', async (t) => {
  const { server, replica, stream } = await started(t);
  server.place('a', 'gone-already');
  server.remove('a', 'gone-already');
  server.publish();
  await replica.refresh();
  stream().deliver();
  t.same(contentOf(replica), server.published);
  t.equal(replica.sequence, 2);
});

await t.test('orders make the changes be asked for soon, until they have caught up', async (t) => {
  const { server, replica, stream, rest } = await started(t, { gatherMs: 1 });
  server.place('a', 'p');
  stream().deliver();
  await waitFor(() => rest.asked.length >= 3, { what: 'asked again while the answer is behind' });
  server.publish();
  await waitFor(() => replica.generation === server.generation, { what: 'the new generation' });
  const asked = rest.asked.length;
  await replica.refresh();
  t.equal(rest.asked.length, asked + 1, 'no other request once it has');
});

await t.test('the changes are asked for from time to time', async (t) => {
  const { server, replica } = await started(t, { pollMs: 5 });
  server.rewrite('a', 'p');
  server.publish();
  await waitFor(() => replica.generation === server.generation, { what: 'the new generation' });
  t.same(contentOf(replica), server.published);
});

await t.test('after 410 the whole snapshot is read, and the stream goes on', async (t) => {
  const { server, replica, rest, stream, streams, orderUuids } = await started(t);
  server.rewrite('a', 'p');
  server.publish();
  server.forgetGenerations();
  server.place('a', 'p');
  stream().deliver();
  await replica.refresh();
  t.same(rest.asked, ['snapshot', 'changes 101', 'snapshot']);
  t.same(orderUuids('a', 'p'), ['log-1-1', 'log-1-2'], 'the newer order is kept');
  t.equal(streams.length, 1);
});

await t.test('a gap: nothing of that stream any more, a new snapshot and a new stream', async (t) => {
  const { server, replica, stream, streams, told } = await started(t);
  const old = stream();
  server.place('a', 'p');
  server.place('b', 'q');
  server.log.splice(0, 2);
  server.publish();
  const before = told.length;
  old.deliver();
  old.wishes.onOrders(server.log);
  t.equal(told.length, before, 'nothing is reported while it is inconsistent');
  await waitFor(() => streams.length === 2, { what: 'a new stream' });
  t.ok(old.isStopped);
  t.same(stream().wishes.start, { sequence: 3, epoch: 'log-1' });
  t.same(contentOf(replica), server.published);
});

await t.test('another order log, told by the stream or by an answer: all anew', async (t) => {
  for (const noticed of ['stream', 'changes'] as const) {
    const { server, replica, stream, streams } = await started(t);
    server.rewrite('a', 'p');
    server.replaceLog();
    if (noticed === 'stream') stream().deliver();
    else await replica.refresh();
    await waitFor(() => streams.length === 2, { what: 'a new stream' });
    t.equal(replica.epoch, 'log-2');
    t.same(contentOf(replica), server.published);
    await replica.stop();
  }
});

await t.test('a snapshot older than what is held is not taken', async (t) => {
  const { server, replica, stream, streams, errors, orderUuids } = await started(t);
  server.place('a', 'p');
  stream().deliver();
  stream().wishes.onGap();
  await waitFor(() => errors.length > 0, { what: 'the old snapshot is refused' });
  t.match(errors[0]?.message, /complete up to order 1, 2 is held/);
  t.same(orderUuids('a', 'p'), ['log-1-1', 'log-1-2'], 'what was held is shown');
  server.publish();
  await waitFor(() => streams.length === 2, { what: 'a new stream' });
  t.equal(replica.sequence, 2);
});

await t.test('an answer without X-Sequence is not taken: the server is asked again', async (t) => {
  const { server, replica, rest, errors } = await started(t);
  server.rewrite('a', 'p');
  server.publish();
  const changes = rest.positionsChanges.bind(rest);
  rest.positionsChanges = async (options) => ({ ...(await changes(options)), sequence: null });
  await t.rejects(replica.refresh(), /X-Sequence/);
  t.equal(replica.generation, 101);
  t.equal(errors.length, 1);
  rest.positionsChanges = changes;
  await replica.refresh();
  t.equal(replica.generation, 102);
});

await t.test('a failed request is reported and tried again, and what is held stays', async (t) => {
  const { server, replica, rest, errors } = await started(t);
  const changes = rest.positionsChanges.bind(rest);
  const fault = new PtnRestError('down', { status: 503, code: null, requestId: null, retryAfterMs: 1 });
  rest.positionsChanges = () => Promise.reject(fault);
  await t.rejects(replica.refresh(), fault);
  t.same(errors, [fault]);
  t.same(contentOf(replica), server.published);
  rest.positionsChanges = changes;
  server.rewrite('a', 'p');
  server.publish();
  await waitFor(() => replica.generation === server.generation, { what: 'the next try' });
});

await t.test('a refused key ends the replica', async (t) => {
  const { replica, rest, stream } = await started(t);
  const fault = new PtnRestError('no', { status: 401, code: null, requestId: null, retryAfterMs: null });
  rest.positionsChanges = () => Promise.reject(fault);
  await t.rejects(replica.refresh(), fault);
  t.equal(await replica.finished, fault);
  t.ok(stream().isStopped);
  await t.rejects(replica.refresh(), /not running/);
});

await t.test('a stream that ends for good ends the replica', async (t) => {
  const { replica, stream } = await started(t);
  const fault = new Error('key revoked');
  stream().wishes.onEnd(fault);
  t.equal(await replica.finished, fault);
});

await t.test('a fault in onChange ends the replica', async (t) => {
  const fault = new Error('in the program');
  let count = 0;
  const { server, replica, stream } = await started(t, {
    onChange: () => {
      count += 1;
      if (count === 2) throw fault;
    },
  });
  server.place('a', 'p');
  stream().deliver();
  t.equal(await replica.finished, fault);
});

await t.test('a stream that cannot be made makes start reject', async (t) => {
  const server = new ModelServer();
  const fault = new TypeError('url must begin with ws://');
  const replica = new Replica({
    rest: new HeldRest(server),
    createStream: () => {
      throw fault;
    },
  });
  await t.rejects(replica.start(), fault);
  t.equal(await replica.finished, fault);
});

await t.test('a fault in onError ends the replica and its stream', async (t) => {
  const fault = new Error('in the program');
  const { replica, rest, stream } = await started(t, {
    onError: () => {
      throw fault;
    },
  });
  const down = new PtnRestError('down', { status: 503, code: null, requestId: null, retryAfterMs: null });
  rest.positionsChanges = () => Promise.reject(down);
  await t.rejects(replica.refresh(), down);
  t.equal(await replica.finished, fault);
  t.ok(stream().isStopped);
});

await t.test('a replica that was never started can be stopped', async (t) => {
  const rest = new HeldRest(new ModelServer());
  const replica = new Replica({ rest, createStream: (wishes) => new ModelStream(new ModelServer(), wishes) });
  await replica.stop();
  t.equal(await replica.finished, null);
  t.same(rest.asked, []);
});

await t.test('stop ends the stream and what is under way; what is held can be read', async (t) => {
  const { server, replica, rest, stream } = await started(t);
  rest.isHeld = true;
  const refreshed = replica.refresh();
  await waitFor(() => rest.waiting === 1, { what: 'the request' });
  const rejected = t.rejects(refreshed, /was stopped/);
  await replica.stop();
  await rejected;
  t.equal(await replica.finished, null);
  t.ok(stream().isStopped);
  t.same(contentOf(replica), server.published);
});

await t.test('stop while the first snapshot is waited for makes start reject', async (t) => {
  const rest = new HeldRest(new ModelServer());
  rest.isHeld = true;
  const replica = new Replica({
    rest,
    createStream: () => {
      throw new Error('there is no snapshot to follow');
    },
  });
  const starting = t.rejects(replica.start(), /was stopped/);
  await replica.stop();
  await starting;
  await t.rejects(replica.start(), /once/);
});

await t.test('times that cannot be used are named', async (t) => {
  await t.rejects(started(t, { pollMs: 0 }), /pollMs/);
  await t.rejects(started(t, { gatherMs: NaN }), /gatherMs/);
});
