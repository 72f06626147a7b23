import fc from 'fast-check';
import t from 'tap';
import { MemoryLog, range, serve } from './ws-fixture.ts';

await t.test(
  'resume: everything after last_sequence, in batches, then live, without a gap or a repeat',
  async (t) => {
    const log = new MemoryLog();
    log.appendMany(1000, { content: JSON.stringify({ text: 'x'.repeat(3000) }) });
    const { client, streams } = await serve(t, { log });
    const resumed = await client({ last_sequence: 10, epoch: 'epoch-1' });
    t.match(resumed.received[0], { current_sequence: 1000, epoch: 'epoch-1', oldest_sequence: 1 });
    t.notOk('resumed' in (await resumed.subscribe()));
    log.append({});
    streams.ordersChanged();
    await resumed.until(() => resumed.sequences().at(-1) === 1001);
    t.strictSame(resumed.sequences(), range(11, 1001));
    const batches = resumed.received.filter(({ type }) => type === 'batch');
    t.ok(batches.length > 5 && batches.length < 60, `${batches.length} batches`);
    for (const { count, messages } of batches) t.equal(count, (messages as unknown[]).length);
    t.ok(batches.every((batch) => JSON.stringify(batch).length <= 256 * 1024));
  },
);

await t.test('live only: without last_sequence, or with -1', async (t) => {
  const log = new MemoryLog(5);
  log.append({});
  const { client, streams } = await serve(t, { log });
  for (const authentication of [{}, { last_sequence: -1 }]) {
    const live = await client(authentication);
    const { last } = log.state();
    await live.subscribe();
    log.append({});
    streams.ordersChanged();
    await live.until(() => live.orders().length > 0);
    t.strictSame(live.sequences(), [last + 1]);
  }
});

await t.test('a last_sequence of the future or of another epoch: live only, and told so', async (t) => {
  const log = new MemoryLog();
  log.appendMany(3);
  const { client, streams } = await serve(t, { log });
  const far = await client({ last_sequence: 4 });
  const foreign = await client({ last_sequence: 1, epoch: 'another' });
  const same = await client({ last_sequence: 1, epoch: 'epoch-1' });
  t.match(await far.subscribe(), { resumed: false });
  t.match(await foreign.subscribe(), { resumed: false });
  t.notOk('resumed' in (await same.subscribe()));
  log.append({});
  streams.ordersChanged();
  await Promise.all([far, foreign, same].map((client) => client.until(() => client.sequences().includes(4))));
  t.strictSame(far.sequences(), [4]);
  t.strictSame(foreign.sequences(), [4]);
  t.strictSame(same.sequences(), [2, 3, 4]);
});

await t.test(
  'a last_sequence that the log no longer reaches: the gap first, then what is left',
  async (t) => {
    const log = new MemoryLog();
    log.appendMany(10);
    log.prune(6);
    const { client } = await serve(t, { log });
    const behind = await client({ last_sequence: 2 });
    await behind.subscribe();
    await behind.until(() => behind.sequences().length === 4);
    t.strictSame(behind.received[2], { type: 'gap', from: 3, to: 6 });
    t.strictSame(behind.sequences(), range(7, 10));
  },
);

await t.test('a log that holds nothing any more: the gap alone', async (t) => {
  const log = new MemoryLog();
  log.appendMany(4);
  log.prune(4);
  const { client } = await serve(t, { log });
  const behind = await client({ last_sequence: 1 });
  await behind.subscribe();
  await behind.until(() => behind.received.length === 3);
  t.strictSame(behind.received[2], { type: 'gap', from: 2, to: 4 });
});

await t.test('before there is an order log: a subscription waits and goes on as it asked', async (t) => {
  const { client, streams, setLog } = await serve(t, { log: undefined });
  const resuming = await client({ last_sequence: 2 });
  const late = await client({ last_sequence: 9 });
  const live = await client();
  t.equal(live.received[0]?.['current_sequence'], 0);
  for (const each of [resuming, late, live]) t.match(await each.subscribe(), { status: 'success' });
  const log = new MemoryLog();
  log.appendMany(4);
  setLog(log);
  log.append({});
  streams.ordersChanged();
  await Promise.all([resuming, late, live].map((each) => each.until(() => each.sequences().includes(5))));
  t.strictSame(resuming.sequences(), [3, 4, 5]);
  t.strictSame(late.sequences(), [5]);
  t.match(late.received[2], { type: 'subscription_status', resumed: false });
  t.strictSame(live.sequences(), [5]);
});

await t.test('another order log: subscribers are sent away to come back', async (t) => {
  const log = new MemoryLog();
  const { client, setLog } = await serve(t, { log });
  const subscribed = await client();
  await subscribed.subscribe();
  const other = new MemoryLog();
  other.epoch = 'epoch-2';
  setLog(other);
  t.equal(await subscribed.closed(), 4009);
});

await t.test(
  'a log that is replaced behind the same reader, seen first by a client that comes',
  async (t) => {
    const log = new MemoryLog();
    const { client, streams } = await serve(t, { log });
    const subscribed = await client();
    await subscribed.subscribe();
    log.epoch = 'epoch-2';
    t.match((await client()).received[0], { epoch: 'epoch-1' });
    streams.ordersChanged();
    t.equal(await subscribed.closed(), 4009);
    t.match((await client()).received[0], { epoch: 'epoch-2' });
  },
);

await t.test('filters: own orders alone, chained by previous_sequence; the status echoes them', async (t) => {
  const log = new MemoryLog();
  for (let order = 0; order < 4; order++) {
    log.append({ hotkey: 'a', tradePairId: 'BTCUSD' }, { hotkey: 'b', tradePairId: 'ETHUSD' });
  }
  const { client, streams } = await serve(t, { log });
  const filtered = await client({ last_sequence: 1 });
  const status = await filtered.subscribe({ trade_pairs: ['ETHUSD', 'ETHUSD'], miner_hotkeys: ['b', 'c'] });
  t.match(status, { all: false, trade_pairs: ['ETHUSD'], miner_hotkeys: ['b', 'c'] });
  await filtered.until(() => filtered.orders().length === 4);
  log.append({ hotkey: 'b' }, { hotkey: 'c', tradePairId: 'ETHUSD' });
  streams.ordersChanged();
  await filtered.until(() => filtered.orders().length === 5);
  t.strictSame(
    filtered.orders().map(({ sequence, previous_sequence: previous }) => [previous, sequence]),
    [
      [1, 2],
      [2, 4],
      [4, 6],
      [6, 8],
      [8, 10],
    ],
  );
});

await t.test('a filter is changed without losing the place', async (t) => {
  const log = new MemoryLog();
  const { client, streams } = await serve(t, { log });
  const subscriber = await client();
  await subscriber.subscribe();
  log.append({ tradePairId: 'ETHUSD' });
  streams.ordersChanged();
  await subscriber.until(() => subscriber.orders().length === 1);
  log.append({ tradePairId: 'BTCUSD' }, { tradePairId: 'ETHUSD' });
  await subscriber.subscribe({ trade_pairs: ['ETHUSD'] });
  streams.ordersChanged();
  await subscriber.until(() => subscriber.orders().length === 2);
  t.match(subscriber.orders()[1], { sequence: 3, previous_sequence: 1 });
});

type Action =
  | { readonly kind: 'append'; readonly pairs: readonly string[] }
  | { readonly kind: 'lose' }
  | { readonly kind: 'settle' };

await t.test('any order of appends, subscriptions, losses and resumptions: exactly the suffix', async (t) => {
  const action: fc.Arbitrary<Action> = fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      pairs: fc.array(fc.constantFrom('A', 'B'), { minLength: 1, maxLength: 5 }),
    }),
    fc.record({ kind: fc.constant('lose' as const) }),
    fc.record({ kind: fc.constant('settle' as const) }),
  );
  const run = async (actions: readonly Action[], filter: string | undefined): Promise<void> => {
    const log = new MemoryLog();
    const pairs: string[] = [];
    const { client, streams } = await serve(t, { log });
    const wanted = () =>
      range(1, pairs.length).filter((sequence) => filter === undefined || pairs[sequence - 1] === filter);
    const seen: number[] = [];
    const subscription = filter === undefined ? { all: true } : { trade_pairs: [filter] };
    const connect = async () => {
      const next = await client({ last_sequence: seen.at(-1) ?? 0, epoch: 'epoch-1' });
      // Not waited for: what follows happens before, during or after it.
      next.send({ type: 'subscribe', ...subscription });
      return next;
    };
    let current = await connect();
    const take = () => {
      seen.push(...current.sequences());
      for (const order of current.orders()) {
        if (filter !== undefined && order['previous_sequence'] === undefined) throw new Error('no previous');
      }
      current.socket.terminate();
    };
    for (const step of actions) {
      if (step.kind === 'append') {
        pairs.push(...step.pairs);
        log.append(...step.pairs.map((tradePairId) => ({ tradePairId })));
        streams.ordersChanged();
      } else if (step.kind === 'lose') {
        take();
        current = await connect();
      } else {
        await current.ask({ type: 'ping' });
      }
    }
    await current.until(() => seen.length + current.orders().length >= wanted().length);
    // Everything that was to come has come once the answer is there.
    current.send({ type: 'ping', timestamp: 'end' });
    await current.until(() => current.received.some((message) => message['client_timestamp'] === 'end'));
    take();
    t.strictSame(seen, wanted());
    await streams.drain(0);
  };
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 12 }), fc.constantFrom(undefined, 'A'), run),
    { numRuns: 60 },
  );
});

await t.test('an order is read from the log once, however many clients it goes to', async (t) => {
  const log = new MemoryLog();
  const { client, streams } = await serve(t, { log, limits: { connectionsPerKey: 20 } });
  const clients = await Promise.all(range(1, 20).map(() => client()));
  await Promise.all(clients.map((each) => each.subscribe()));
  for (let order = 1; order <= 30; order++) {
    log.append({});
    streams.ordersChanged();
  }
  await Promise.all(clients.map((each) => each.until(() => each.sequences().at(-1) === 30)));
  t.equal(log.readCount, 30);
});

await t.test('a client far behind and one at the end: each gets its own, in order', async (t) => {
  const log = new MemoryLog();
  log.appendMany(3000);
  const { client, streams } = await serve(t, { log });
  const live = await client();
  await live.subscribe();
  const behind = await client({ last_sequence: 0 });
  behind.send({ type: 'subscribe', all: true });
  for (let order = 3001; order <= 3200; order++) {
    log.append({});
    streams.ordersChanged();
    if (order % 20 === 0) await live.ask({ type: 'ping' });
  }
  await behind.until(() => behind.sequences().at(-1) === 3200);
  await live.until(() => live.sequences().at(-1) === 3200);
  t.strictSame(behind.sequences(), range(1, 3200));
  t.strictSame(live.sequences(), range(3001, 3200));
});
