// What the client does with the orders themselves: each once, in order, none passed over in silence.
import { MemoryCursorStore, PtnRestError, PtnStreamClient } from '@ptn-api/client';
import type { OrdersPage } from '@ptn-api/client';
import { waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { startFakeServer, streamOrder } from './fake-server.ts';
import { apiKey, follow } from './stream-fixture.ts';

const start = { sequence: 5, epoch: 'log-1' };

function restOf(sequences: readonly number[], epoch = 'log-1') {
  const asked: { since: number; limit?: number }[] = [];
  return {
    asked,
    orders: (options: { since: number; limit?: number }): Promise<OrdersPage> => {
      asked.push({ since: options.since, ...(options.limit !== undefined && { limit: options.limit }) });
      const messages = sequences
        .filter((sequence) => sequence > options.since)
        .slice(0, options.limit)
        .map((sequence) => streamOrder(sequence, { pair: sequence % 2 === 0 ? 'ETHUSD' : 'BTCUSD' }));
      const next = messages.at(-1)?.sequence ?? options.since;
      return Promise.resolve({ messages, count: messages.length, next, current_sequence: 99, epoch });
    },
  };
}

await t.test('live: begins after the number that the authentication told', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 41 });
      session.orders(42);
    },
  });
  const followed = follow(t, { url: server.url });
  await followed.client.start();
  await followed.received(1);
  t.same(server.sessions[0]?.authentication, { api_key: 'the-secret-key', last_sequence: -1, epoch: null });
  t.same(followed.sequences(), [42]);
  t.same(followed.gaps, []);
  const [order] = followed.orders;
  t.equal(order?.order.order_uuid, 'o-42');
  t.equal(order?.position.position_uuid, 'p-42');
});

await t.test('live: what was placed between authentication and subscription is not missing', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 41 });
      session.orders(44);
      session.orders(46);
    },
  });
  const followed = follow(t, { url: server.url });
  await followed.client.start();
  await followed.received(2);
  t.same(followed.sequences(), [44, 46]);
  t.same(followed.gaps, [{ from: 45, to: 45, reason: 'missing' }], 'what is left out later is');
});

await t.test('the cursor of the store goes before `start`, with its epoch', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 9 });
    },
  });
  const store = new MemoryCursorStore({ sequence: 7, epoch: 'log-1' });
  const { client } = follow(t, { url: server.url, store, cursorStore: store, start });
  await client.start();
  t.match(server.sessions[0]?.authentication, { last_sequence: 7, epoch: 'log-1' });
});

await t.test('duplicates and orders out of order are dropped and counted', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 7 });
      session.orders(4, 5, 6, 7, 7, 6, 8);
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  await followed.received(3);
  t.same(followed.sequences(), [6, 7, 8]);
  t.equal(followed.client.duplicates, 4);
  t.same(followed.gaps, []);
});

await t.test('a jump without REST is reported between the orders around it', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(6, 9, 8, 10);
    },
  });
  const told: unknown[] = [];
  const followed = follow(t, {
    url: server.url,
    start,
    onOrders: (orders) => {
      told.push(...orders.map(({ sequence }) => sequence));
    },
    onGap: (gap) => {
      told.push(gap);
    },
  });
  await followed.client.start();
  await waitFor(() => told.length === 4, { what: () => `3 orders and a gap; ${JSON.stringify(told)}` });
  t.same(told, [6, { from: 7, to: 8, reason: 'missing' }, 9, 10]);
});

await t.test('a jump is filled over REST, in order', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(6, 9);
    },
  });
  const rest = restOf([6, 7, 8, 9, 10]);
  const followed = follow(t, { url: server.url, start, rest });
  await followed.client.start();
  await followed.received(4);
  t.same(followed.sequences(), [6, 7, 8, 9]);
  t.same(rest.asked, [{ since: 6, limit: 2 }]);
  t.same(followed.gaps, []);
});

await t.test('what REST does not have either is reported', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(10);
    },
  });
  const followed = follow(t, { url: server.url, start, rest: restOf([7, 10]) });
  await followed.client.start();
  await followed.received(2);
  t.same(followed.sequences(), [7, 10]);
  t.same(followed.gaps, [
    { from: 6, to: 6, reason: 'missing' },
    { from: 8, to: 9, reason: 'missing' },
  ]);
});

await t.test('REST of another order log fills nothing', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(8);
    },
  });
  const followed = follow(t, { url: server.url, start, rest: restOf([6, 7, 8], 'log-2') });
  await followed.client.start();
  await followed.received(1);
  t.same(followed.gaps, [{ from: 6, to: 7, reason: 'missing' }]);
});

await t.test('REST is tried again while it fails for now, then the gap is reported', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(8);
    },
  });
  let tries = 0;
  const details = { status: 503, code: null, requestId: null, retryAfterMs: null };
  const rest = {
    orders: () => {
      tries += 1;
      return Promise.reject(new PtnRestError('not yet', details));
    },
  };
  const followed = follow(t, { url: server.url, start, rest });
  await followed.client.start();
  for (let count = 1; count < 3; count++) {
    await waitFor(() => tries === count && followed.clock.delays.includes(500 * count), {
      what: () => `try ${count}; ${tries}, waiting ${followed.clock.delays.join()}`,
    });
    followed.clock.advance(500 * count);
  }
  await followed.received(1);
  t.equal(tries, 3);
  t.same(followed.gaps, [{ from: 6, to: 7, reason: 'missing' }]);
  t.equal(followed.errors.length, 3);
});

await t.test('filtered: a jump of the numbers is no loss, a break of their chain is', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.send({ ...streamOrder(20), previous_sequence: 5 });
      session.send({ ...streamOrder(30), previous_sequence: 20 });
      session.send({ ...streamOrder(50), previous_sequence: 40 });
    },
  });
  const filter = { tradePairs: ['BTCUSD'], minerHotkeys: ['miner-a', 'miner-b'] };
  const followed = follow(t, { url: server.url, start, filter });
  await followed.client.start();
  await followed.received(3);
  t.match(server.sessions[0]?.subscribe, {
    trade_pairs: ['BTCUSD'],
    miner_hotkeys: ['miner-a', 'miner-b'],
  });
  t.notOk('all' in (server.sessions[0]?.subscribe ?? {}), 'and not everything');
  t.same(followed.gaps, [{ from: 31, to: 40, reason: 'missing' }]);
});

await t.test('filtered: what REST fills passes the same filter', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.send({ ...streamOrder(11), previous_sequence: 9 });
    },
  });
  const rest = restOf([6, 7, 8, 9, 10, 11]);
  const followed = follow(t, { url: server.url, start, filter: { tradePairs: ['BTCUSD'] }, rest });
  await followed.client.start();
  await followed.received(3);
  t.same(followed.sequences(), [7, 9, 11]);
  t.same(followed.gaps, []);
});

await t.test('orders that the server has no more are told, and the stream goes on after them', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 21 });
      session.send({ type: 'gap', from: 6, to: 19 });
      session.orders(20, 21);
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  await followed.received(2);
  t.same(followed.gaps, [{ from: 6, to: 19, reason: 'expired' }]);
  t.same(followed.sequences(), [20, 21]);
  await waitFor(() => followed.store.load()?.sequence === 21, { what: 'the cursor is saved' });
});

await t.test('a gap that nobody asks for is reported as an error', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 21 });
      session.send({ type: 'gap', from: 6, to: 19 });
      session.orders(20, 21);
    },
  });
  const errors: string[] = [];
  const received: number[] = [];
  const client = new PtnStreamClient({
    url: server.url,
    apiKey,
    start,
    onOrders: (orders) => {
      received.push(...orders.map(({ sequence }) => sequence));
    },
    onError: ({ message }) => errors.push(message),
  });
  t.teardown(() => client.stop());
  await client.start();
  await waitFor(() => received.length === 2, { what: () => `two orders; ${errors.join()}` });
  t.match(errors, [/^the orders 6 to 19 will not come \(expired\)/]);
});

await t.test('another epoch is a gap, and the cursor begins anew', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 3, epoch: 'log-2', resumed: false });
      session.orders(4);
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  await followed.received(1);
  t.same(followed.gaps, [{ from: 1, to: 3, reason: 'new-log' }]);
  t.same(followed.sequences(), [4]);
  await waitFor(() => followed.store.load()?.sequence === 4, { what: 'the cursor is saved' });
  t.same(followed.store.load(), { sequence: 4, epoch: 'log-2' });
});

await t.test('`resumed: false` of the same epoch is one, too', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 3, resumed: false });
      session.orders(4);
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  await followed.received(1);
  t.same(followed.gaps, [{ from: 1, to: 3, reason: 'new-log' }]);
});

await t.test('a server without an order log yet: live begins with its first order', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept({ currentSequence: 0, epoch: null });
      session.orders(58, 59);
    },
  });
  const followed = follow(t, { url: server.url });
  await followed.client.start();
  await followed.received(2);
  t.same(followed.gaps, []);
});

await t.test('a log that opens as another one afterwards is asked for its number', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      if (session.index > 0) {
        session.accept({ currentSequence: 2, epoch: 'log-2', resumed: false });
        return;
      }
      session.accept({ currentSequence: 0, epoch: null });
      session.send({ type: 'subscription_status', status: 'success', action: 'subscribe', resumed: false });
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  followed.clock.advance(await followed.backoffMs());
  await waitFor(() => followed.gaps.length > 0, { what: 'the gap' });
  t.same(followed.gaps, [{ from: 1, to: 2, reason: 'new-log' }]);
});

await t.test('garbage is reported and does not disturb the orders around it', async (t) => {
  const server = await startFakeServer(t, {
    onSession: (session) => {
      session.accept();
      session.orders(6);
      const garbage = [
        '{',
        '7',
        '[]',
        '{"sequence": "x"}',
        '{"type": "batch"}',
        '{"type": "gap", "from": -1}',
      ];
      for (const text of garbage) session.send(text);
      session.send({ type: 'batch', messages: [null, streamOrder(7), { sequence: 8 }], count: 3 });
      session.send({ type: 'of a later server' });
      session.send({ type: 'error', code: 'X', message: 'no to the-secret-key' });
      session.orders(8);
    },
  });
  const followed = follow(t, { url: server.url, start });
  await followed.client.start();
  await followed.received(3);
  t.same(followed.sequences(), [6, 7, 8]);
  t.equal(followed.errors.length, 8);
  t.notOk(
    followed.errors.some(({ message }) => message.includes('the-secret-key')),
    'without the key',
  );
  t.equal(server.sessions.length, 1, 'on the same connection');
});
