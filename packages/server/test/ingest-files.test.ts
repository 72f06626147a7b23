import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';
import { IngestSender } from './ingest-fixture.ts';

await t.test(
  'with the files: no second message, and X-Sequence waits until they show the order',
  async (t) => {
    const now = Date.now();
    const root = makePtnRoot(t, { positions: [trade({ uuid: 'a', times: [now - 60_000] })] });
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    const last = () => (tested.retained.get('orders', 'head') as { last: number }).last;
    const sender = await IngestSender.connect(t, root.join('.ptn-api', 'ingest.sock'));
    const handedIn = trade({ uuid: 'a', times: [now - 60_000, now] });
    sender.put(handedIn);
    t.same(await sender.answered(1), [{ ok: true, sequence: 1, duplicate: false }]);
    t.equal(last(), 1);
    root.writePosition(trade({ uuid: 'b', times: [now + 1] }));
    await waitFor(() => tested.uuids('miner-a').includes('b'), { what: 'another position is shown' });
    await waitFor(() => last() === 2, { what: 'its order is streamed' });
    t.equal(tested.head().sequence, 0, 'positions are not complete to the first order');

    root.writePosition(handedIn);
    await waitFor(() => tested.head().sequence === 2, { what: 'now they are' });
    t.equal(tested.map(100)['miner-a']?.positions.find((p) => p.position_uuid === 'a')?.orders.length, 2);
    t.equal(last(), 2, 'no further message');
    sender.put(trade({ uuid: 'b', times: [now + 1] }));
    t.same((await sender.answered(2))[1], { ok: true, sequence: 2, duplicate: true }, 'the other way round');
  },
);

await t.test('a feed that starts again still waits for what was handed in before', async (t) => {
  const now = Date.now();
  const root = makePtnRoot(t, { positions: [trade({ uuid: 'a', times: [now - 60_000] })] });
  const first = new FeedUnderTest(t, root.path);
  await first.feed.start();
  const sender = await IngestSender.connect(t, root.join('.ptn-api', 'ingest.sock'));
  sender.put(trade({ uuid: 'b', times: [now] }));
  await sender.answered(1);
  root.writePosition(trade({ uuid: 'c', times: [now + 1] }));
  await waitFor(() => (first.retained.get('orders', 'head') as { last: number }).last === 2, { what: 'two' });
  await first.feed.close();
  t.ok(sender.isClosed || (await waitFor(() => sender.isClosed, { what: 'the connection ends' })));

  const second = new FeedUnderTest(t, root.path);
  await second.feed.start();
  root.writePosition(trade({ uuid: 'd', times: [now + 2] }));
  await waitFor(() => second.uuids('miner-a').includes('d'), { what: 'a generation after the start' });
  t.equal(second.head().sequence, 0);
  root.writePosition(trade({ uuid: 'b', times: [now] }));
  await waitFor(() => second.head().sequence === 3, { what: 'complete, with the order in the files' });
});

await t.test(
  'an old order that the files show already, but nobody was told of, holds nothing back',
  async (t) => {
    const old = trade({ uuid: 'a', times: [Date.now() - HOUR_MS] });
    const root = makePtnRoot(t, { positions: [old] });
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    const sender = await IngestSender.connect(t, root.join('.ptn-api', 'ingest.sock'));
    sender.put(old);
    t.same(await sender.answered(1), [{ ok: true, sequence: 1, duplicate: false }]);
    await waitFor(() => tested.head().sequence === 1, { what: 'the positions are complete to it' });
  },
);

await t.test('an order of the history is answered as a duplicate without a number', async (t) => {
  const recent = trade({ uuid: 'a', times: [Date.now() - 60_000] });
  const root = makePtnRoot(t, { positions: [recent] });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  const sender = await IngestSender.connect(t, root.join('.ptn-api', 'ingest.sock'));
  sender.put(recent);
  t.same(await sender.answered(1), [{ ok: true, sequence: 0, duplicate: true }]);
});

await t.test('a server that takes over has the socket once it writes the log', async (t) => {
  const root = makePtnRoot(t, { positions: [trade({ uuid: 'a', times: [Date.now() - HOUR_MS] })] });
  const first = new FeedUnderTest(t, root.path);
  await first.feed.start();
  const path = root.join('.ptn-api', 'ingest.sock');
  const sender = await IngestSender.connect(t, path);
  sender.put(trade({ uuid: 'b', times: [Date.now()] }));
  await sender.answered(1);

  const second = new FeedUnderTest(t, root.path, { isTakeover: true });
  await second.feed.start();
  t.same(second.events('ingest-socket'), [], 'not while it follows');
  await first.feed.close();
  await waitFor(() => sender.isClosed, { what: 'the old server ends the connection' });
  await waitFor(() => second.events('ingest-socket').length === 1, { what: 'the new one opens the socket' });
  const next = await IngestSender.connect(t, path);
  next.put(trade({ uuid: 'c', times: [Date.now()] }));
  t.same(await next.answered(1), [{ ok: true, sequence: 2, duplicate: false }]);
});
