import { readPosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import pino from 'pino';
import t from 'tap';
import type { Test } from 'tap';
import { OrderSequencer } from '../dist/orders/order-sequencer.js';
import type { PositionText } from '@ptn-api/positions';
import type { OrderLogState } from '../../order-log/dist/order-log.js';
import { openOrderLogReader } from '../../order-log/dist/order-log-reader.js';
import { positionText } from '../../order-log/dist/order-log.js';
import type { OrdersHead } from '../../runtime/dist/ipc/messages.js';
import { FeedUnderTest } from './feed-collector.ts';
import { trade } from './feed-fixture.ts';
import { MemoryOrderLog } from './memory-order-log.ts';

const MINUTE_MS = 60_000;
const NOW = 1_760_000_000_000;

function seen(position: Position): PositionText {
  const read = readPosition(JSON.stringify(position));
  if (!read.ok) throw new Error(read.reason);
  return read;
}

function stream(t: Test, writer: MemoryOrderLog, now = () => NOW) {
  const states: OrderLogState[] = [];
  const logged: Record<string, unknown>[] = [];
  const orders = new OrderSequencer({
    writer,
    log: pino(
      { level: 'debug' },
      { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
    ),
    retention: { maxAgeMs: 1e9, maxCount: 1e9, maxBytes: Infinity },
    onState: (state) => {
      states.push(state);
      return Promise.resolve();
    },
    now,
  });
  t.teardown(() => orders.close());
  return { orders, states, logged };
}

const uuids = (writer: MemoryOrderLog): string[] => writer.appended.map(({ orderUuid }) => orderUuid);

await t.test('at the first start everything that is there is history', async (t) => {
  const writer = new MemoryOrderLog();
  const { orders } = stream(t, writer);
  const old = seen(trade({ uuid: 'a', times: [NOW - 90 * MINUTE_MS, NOW - 5 * MINUTE_MS] }));
  orders.observe('m', old);
  await orders.begin();
  orders.observe('m', old);
  await orders.store();
  t.same(uuids(writer), [], 'nothing is streamed, not even when it is written again');
  orders.observe('m', seen(trade({ uuid: 'a', times: [NOW - 90 * MINUTE_MS, NOW - 5 * MINUTE_MS, NOW] })));
  await orders.store();
  t.same(uuids(writer), ['a-order-2'], 'a new order is');
});

await t.test(
  'orders placed while nobody was there are streamed at the next start, in their order',
  async (t) => {
    const writer = new MemoryOrderLog(NOW - 120 * MINUTE_MS);
    const { orders, states } = stream(t, writer);
    orders.observe('m', seen(trade({ uuid: 'late', times: [NOW - 20 * MINUTE_MS] })));
    orders.observe(
      'm',
      seen(trade({ uuid: 'before', times: [NOW - 122 * MINUTE_MS, NOW - 60 * MINUTE_MS] })),
    );
    // It lay in a large file that waited for its turn when the feed ended.
    orders.observe('m', seen(trade({ uuid: 'unread', times: [NOW - 120.5 * MINUTE_MS] })));
    t.same(uuids(writer), [], 'none before all has been seen');
    await orders.begin();
    t.same(uuids(writer), ['unread-order-0', 'before-order-1', 'late-order-0']);
    t.equal(states.at(-1)?.last, 3);
  },
);

await t.test('an old order that was never seen is streamed within ten minutes only', async (t) => {
  const writer = new MemoryOrderLog(NOW);
  const { orders } = stream(t, writer);
  await orders.begin();
  orders.observe('m', seen(trade({ uuid: 'recent', times: [NOW - 9 * MINUTE_MS] })));
  orders.observe('m', seen(trade({ uuid: 'restored', times: [NOW - 11 * MINUTE_MS] })));
  await orders.store();
  t.same(uuids(writer), ['recent-order-0']);
});

await t.test('several orders at once: one message each, the position as of that order', async (t) => {
  const writer = new MemoryOrderLog(NOW - MINUTE_MS);
  const { orders } = stream(t, writer);
  await orders.begin();
  const whole = trade({ uuid: 'p', times: [NOW - 3000, NOW - 2000, NOW - 1000], closed: true });
  orders.observe('m', seen(whole));
  await orders.store();
  const positions = writer.appended.map(({ position }) => JSON.parse(positionText(position)) as Position);
  t.same(
    positions.map((position) => position.orders.length),
    [1, 2, 3],
  );
  t.same(
    positions.map((position) => position.orders.at(-1)?.order_uuid),
    uuids(writer),
  );
  t.same(positions[2], JSON.parse(JSON.stringify(whole)), 'the last one is the file itself');
  t.equal(positions[0]?.is_closed_position, false);
  t.same(positions[1], JSON.parse(JSON.stringify(trade({ uuid: 'p', times: [NOW - 3000, NOW - 2000] }))));
  t.same(
    writer.appended.map(({ hotkey, tradePairId, timestampMs }) => [hotkey, tradePairId, timestampMs])[0],
    ['m', 'BTCUSD', NOW],
  );
});

await t.test(
  'an order without a usable uuid is reported and passed over, the others are streamed',
  async (t) => {
    const writer = new MemoryOrderLog(NOW - MINUTE_MS);
    const { orders, logged } = stream(t, writer);
    await orders.begin();
    const position = trade({ uuid: 'p', times: [NOW - 3000, NOW - 2000] });
    const [first, second] = position.orders;
    if (first === undefined || second === undefined) throw new Error('the trade has two orders');
    orders.observe('m', seen({ ...position, orders: [{ ...first, order_uuid: '' }, second] }));
    orders.observe(
      'm',
      seen({ ...position, position_uuid: 'q', orders: [{ ...first, order_uuid: 'x'.repeat(1001) }] }),
    );
    await orders.store();
    t.same(uuids(writer), ['p-order-1']);
    t.equal(logged.filter(({ event }) => event === 'order-not-streamed').length, 2);
  },
);

await t.test('a rewrite, a corrected price and a deletion with a new file are no events', async (t) => {
  const writer = new MemoryOrderLog(NOW - MINUTE_MS);
  const { orders } = stream(t, writer);
  await orders.begin();
  const position = trade({ uuid: 'p', times: [NOW - 1000] });
  for (const version of [position, { ...position, current_return: 1.1 }, position]) {
    orders.observe('m', seen(version));
    await orders.store();
  }
  t.same(uuids(writer), ['p-order-0']);
});

await t.test(
  'what cannot be stored waits, is not marked as seen, and is stored when it can be',
  async (t) => {
    const writer = new MemoryOrderLog(NOW - MINUTE_MS);
    const { orders, states, logged } = stream(t, writer);
    await orders.begin();
    const told = states.length;
    writer.isFull = true;
    orders.observe('m', seen(trade({ uuid: 'p', times: [NOW - 1000] })));
    const storing = orders.store();
    await waitFor(() => logged.some(({ event }) => event === 'order-log-write-failed'), {
      what: 'the error is reported',
    });
    orders.observe('m', seen(trade({ uuid: 'q', times: [NOW - 500] })));
    t.equal(states.length, told, 'nothing is published meanwhile');
    writer.isFull = false;
    await storing;
    t.same(uuids(writer), ['p-order-0', 'q-order-0']);
    t.equal(states.at(-1)?.last, 2);
  },
);

await t.test(
  'from the tree to the log: durable, told, and the positions say up to where they reach',
  async (t) => {
    const now = Date.now();
    const root = makePtnRoot(t, {
      positions: [trade({ uuid: 'a', times: [now - 60_000] })],
      files: { 'ptn_api/sequence_number.json': '41' },
    });
    const tested = new FeedUnderTest(t, root.path);
    await tested.feed.start();
    const head = (): OrdersHead => tested.retained.get('orders', 'head') as OrdersHead;
    t.equal(head().last, 41, 'numbering goes on where the Python server stopped');

    root.writePosition(trade({ uuid: 'a', times: [now - 60_000, now - 2, now - 1] }));
    await waitFor(() => head().last === 43, { what: 'two orders' });
    const reader = openOrderLogReader({ path: head().path });
    t.teardown(() => reader.close());
    const messages = reader
      .read(41, 10)
      .map(
        ({ bytes }) =>
          JSON.parse(Buffer.from(bytes).toString()) as { sequence: number; data: { position: Position } },
      );
    t.same(
      messages.map(({ sequence, data }) => [sequence, data.position.orders.length]),
      [
        [42, 2],
        [43, 3],
      ],
    );
    await waitFor(() => tested.head().sequence === 43, { what: 'positions that are complete to it' });
    t.equal(tested.head().epoch, head().epoch);
    t.equal(tested.map(100)['miner-a']?.positions[0]?.orders.length, 3);
  },
);

await t.test('a feed that starts again goes on: orders placed meanwhile come, none twice', async (t) => {
  const now = Date.now();
  const root = makePtnRoot(t, { positions: [trade({ uuid: 'a', times: [now - 60_000] })] });
  const first = new FeedUnderTest(t, root.path);
  await first.feed.start();
  root.writePosition(trade({ uuid: 'a', times: [now - 60_000, now] }));
  await waitFor(() => (first.retained.get('orders', 'head') as OrdersHead).last === 1, {
    what: 'the first order',
  });
  await first.feed.close();
  root.writePosition(trade({ uuid: 'b', times: [now + 1] }));
  const second = new FeedUnderTest(t, root.path);
  await second.feed.start();
  const head = second.retained.get('orders', 'head') as OrdersHead;
  t.equal(head.last, 2);
  await waitFor(() => second.head().sequence === 2, { what: 'the positions say that they hold it' });
});

await t.test('from the outputs file, when there is no tree', async (t) => {
  const now = Date.now();
  const map = (times: number[]): string =>
    JSON.stringify({ 'miner-a': { positions: [trade({ uuid: 'a', times })], thirty_day_returns: 1 } });
  const root = makePtnRoot(t, { outputs: map([now - 60_000]) });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  root.writeOutputs(map([now - 60_000, now]));
  await waitFor(() => (tested.retained.get('orders', 'head') as OrdersHead).last === 1, {
    what: 'the order',
  });
  t.pass('streamed');
});
