import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import type { Test } from 'tap';
import { NetworkReplica } from '../dist/replica-client.js';
import type { ReplicaStreamOptions } from '../dist/replica-client.js';
import { ModelServer } from './replica-fixture.ts';
import { fakeServer, sendJson } from './rest-fixture.ts';

/** A replica over a fake REST server, with a stream client that does nothing by itself. */
async function made(t: Test, start: () => Promise<void> = () => Promise.resolve()) {
  const model = new ModelServer();
  model.place('a', 'p');
  model.publish();
  const { url, requests } = await fakeServer(t, (_request, response) => {
    const { value, sequence, epoch, generation } = model.snapshot();
    const headers = { 'X-Sequence': `${sequence}`, 'X-Epoch': epoch, 'X-Generation': `${generation}` };
    sendJson(response, value, headers);
  });
  const asked: ReplicaStreamOptions[] = [];
  let finish: (reason: unknown) => void = () => undefined;
  const errors: Error[] = [];
  const replica = new NetworkReplica(
    {
      apiKey: 'key',
      url: 'ws://host',
      restUrl: `${url}/api`,
      pollMs: 1_000_000,
      onError: (error) => errors.push(error),
    },
    (options) => {
      asked.push(options);
      const finished = new Promise((resolve) => (finish = resolve));
      return { start, finished, stop: () => Promise.resolve() };
    },
  );
  t.teardown(() => replica.stop());
  return {
    replica,
    asked,
    requests,
    errors,
    model,
    finish: (reason: unknown) => {
      finish(reason);
    },
  };
}

await t.test(
  'REST and stream client get the key and their addresses, and the stream its beginning',
  async (t) => {
    const { replica, asked, requests, model } = await made(t);
    await replica.start();
    t.match(asked, [{ apiKey: 'key', url: 'ws://host', start: { sequence: 1, epoch: 'log-1' } }]);
    t.match(requests[0], { url: '/api/miner-positions?tier=100', headers: { authorization: 'Bearer key' } });
    t.same(Object.fromEntries(replica.positions), model.published);
  },
);

await t.test('an order of the stream client is there at once', async (t) => {
  const { replica, asked, model } = await made(t);
  await replica.start();
  model.place('b', 'q');
  asked[0]?.onOrders(model.log.slice(1));
  t.equal(replica.get('b')?.positions[0]?.position_uuid, 'q');
});

await t.test('a fault that the stream client overcomes is reported as an Error', async (t) => {
  const { replica, asked, errors } = await made(t);
  await replica.start();
  const fault = new Error('connection lost');
  asked[0]?.onError(fault);
  asked[0]?.onError('a text');
  t.same([errors[0], errors[1]?.cause], [fault, 'a text']);
});

await t.test('a stream client that ends by itself ends the replica, with the reason', async (t) => {
  for (const reason of [new Error('key revoked'), { code: 4503 }]) {
    const { replica, finish } = await made(t);
    await replica.start();
    finish(reason);
    const error = await replica.finished;
    t.equal(reason instanceof Error ? error : error?.cause, reason);
  }
});

await t.test('a stream that is refused makes start reject', async (t) => {
  const refusal = new Error('tier 100 access needed');
  const { replica } = await made(t, () => Promise.reject(refusal));
  await t.rejects(replica.start(), refusal);
  t.equal(await replica.finished, refusal);
});

await t.test('a gap makes another stream client, from the new snapshot', async (t) => {
  const { replica, asked, model } = await made(t);
  await replica.start();
  model.place('a', 'p');
  model.publish();
  asked[0]?.onGap();
  await waitFor(() => asked.length === 2, { what: 'another stream client' });
  t.equal(asked[1]?.start.sequence, 2);
});

await t.test('an address that cannot be used is named', (t) => {
  const options = { apiKey: 'key', url: 'ws://host', restUrl: 'ws://host' };
  const none = () => {
    throw new Error('not reached');
  };
  t.throws(() => new NetworkReplica(options, none), /url must begin with http/);
  t.end();
});
