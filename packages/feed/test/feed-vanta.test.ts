import { readPosition, rebuildRecord, TRADE_PAIRS } from '@ptn-api/positions';
import type { Order, Position } from '@ptn-api/protocol';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import pino from 'pino';
import t from 'tap';
import type { Test } from 'tap';
import { OrderSequencer } from '../dist/orders/order-sequencer.js';
import { positionText } from '../../order-log/dist/order-log.js';
import { FeedUnderTest } from './feed-collector.ts';
import { HOUR_MS, trade } from './feed-fixture.ts';
import { MemoryOrderLog } from './memory-order-log.ts';

const NOW = Date.now();

function order(uuid: string, timeMs: number, fields: Partial<Order> = {}): Order {
  return {
    order_type: 'LONG',
    leverage: 0.1,
    value: null,
    quantity: null,
    execution_type: 'MARKET',
    limit_price: null,
    stop_loss: 90,
    take_profit: 120,
    price: 100,
    bid: 100,
    ask: 100,
    slippage: 0,
    quote_usd_rate: 1,
    usd_base_rate: 0.01,
    processed_ms: timeMs,
    order_uuid: uuid,
    price_sources: [],
    src: 0,
    ...fields,
  };
}

/** As a validator of December 2025 writes it; `fields` are those of other forms. */
function quantityRecord(uuid: string, orders: readonly Order[], fields: object = {}): Position {
  return rebuildRecord({
    miner_hotkey: 'miner-a',
    position_uuid: uuid,
    open_ms: orders[0]?.processed_ms ?? 0,
    trade_pair: TRADE_PAIRS['SOLUSD'] ?? ['SOLUSD', 'SOL/USD', 0.001, 0.01, 0.5],
    orders,
    current_return: 1,
    close_ms: null,
    net_leverage: 0,
    net_value: 0,
    net_quantity: 0,
    return_at_close: 1,
    average_entry_price: 0,
    cumulative_entry_value: 0,
    account_size: 100_000,
    realized_pnl: 0,
    unrealized_pnl: 0,
    position_type: null,
    is_closed_position: false,
    ...fields,
  });
}

/** What is streamed of positions that are seen at once. */
async function streamed(t: Test, hotkey: string, records: readonly object[]): Promise<Position[]> {
  const writer = new MemoryOrderLog(NOW - HOUR_MS);
  const orders = new OrderSequencer({
    writer,
    log: pino({ level: 'silent' }),
    retention: { maxAgeMs: 1e9, maxCount: 1e9, maxBytes: Infinity },
    onState: () => Promise.resolve(),
    now: () => NOW,
  });
  t.teardown(() => orders.close());
  await orders.begin();
  for (const record of records) {
    const read = readPosition(JSON.stringify(record));
    if (!read.ok) throw new Error(read.reason);
    orders.observe(hotkey, read);
  }
  await orders.store();
  return writer.appended.map(({ position }) => JSON.parse(positionText(position)) as Position);
}

const two = [
  order('first', NOW - 5000),
  order('first-bracket', NOW - 4000, { src: 9, execution_type: 'BRACKET' }),
];

await t.test('two orders that come at once: a message each, with the fee that messages have', async (t) => {
  const messages = await streamed(t, 'miner-a', [quantityRecord('first', two)]);
  t.match(messages, [
    { net_quantity: 100, net_value: 10_000, trade_pair: ['SOLUSD', 'SOL/USD', 0.003] },
    { net_quantity: 200, net_value: 20_000, trade_pair: ['SOLUSD', 'SOL/USD', 0.003] },
  ]);
  t.same(
    messages.map(({ orders }) => orders.map(({ order_uuid: uuid }) => uuid)),
    [['first'], ['first', 'first-bracket']],
  );
  t.same(Object.keys(messages[0] ?? {}), Object.keys(messages[1] ?? {}), 'the members in one order');
});

await t.test('only messages of that form have another fee, and only for crypto', async (t) => {
  const forex = { trade_pair: TRADE_PAIRS['EURUSD'] };
  const [euro] = await streamed(t, 'miner-a', [quantityRecord('first', two, forex)]);
  t.equal(euro?.trade_pair[2], 0.00007);
  const [newer] = await streamed(t, 'miner-a', [quantityRecord('first', two, { fee_history: [] })]);
  t.equal(newer?.trade_pair[2], 0.001);
  const old = { ...trade({ uuid: 'p', times: [NOW - 1000] }), trade_pair: TRADE_PAIRS['SOLUSD'] };
  const [older] = await streamed(t, 'miner-a', [old]);
  t.equal(older?.trade_pair[2], 0.001);
});

await t.test('an order of a newer form is never shown with the state after a later one', async (t) => {
  const record = { ...quantityRecord('first', two), net_margin: 5 };
  const messages = await streamed(t, 'miner-a', [record]);
  t.same(messages[1], record, 'the last one is');
  const { miner_hotkey, position_uuid, open_ms, trade_pair, orders, ...state } =
    messages[0] ?? ({} as Position);
  t.same(
    { miner_hotkey, position_uuid, open_ms, trade_pair, orders },
    {
      miner_hotkey: 'miner-a',
      position_uuid: 'first',
      open_ms: NOW - 5000,
      trade_pair: record.trade_pair,
      orders: [record.orders[0]],
    },
  );
  t.same(new Set(Object.values(state)), new Set([null]), 'of the state nothing is said');
  t.ok(Object.hasOwn(state, 'net_margin') && Object.hasOwn(state, 'net_leverage'));
});

await t.test('orders of the hotkey with which operators try the network are not streamed', async (t) => {
  t.same(await streamed(t, 'DEVELOPMENT', [quantityRecord('first', two)]), []);
});

await t.test('one miner may have records of every form', async (t) => {
  const at = (hours: number): number => NOW - hours * HOUR_MS;
  const times = [at(30), at(1)] as const;
  const orders = (uuid: string): Order[] => times.map((timeMs, index) => order(`${uuid}-${index}`, timeMs));
  const root = makePtnRoot(t, {
    positions: [
      trade({ uuid: 'old', times }),
      { ...trade({ uuid: 'sized', times }), account_size: 100_000 },
      quantityRecord('quantity', orders('quantity')),
      quantityRecord('with-fees', orders('with-fees'), {
        fee_history: [{ fee_type: 'carry', amount: 1, time_ms: at(2) }],
      }),
      { ...quantityRecord('newer', orders('newer')), net_margin: 1 } as Position,
    ],
  });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  const shown = new Map(
    tested.map(0)['miner-a']?.positions.map((position) => [position.position_uuid, position]),
  );
  t.same([...shown.keys()].toSorted(), ['old', 'quantity', 'sized', 'with-fees']);
  for (const [uuid, position] of shown) t.equal(position.orders.length, 1, uuid);
  t.match(shown.get('quantity'), { net_quantity: 100, net_value: 10_000 });
  t.same(shown.get('with-fees')?.fee_history, []);
  t.equal(tested.map(100)['miner-a']?.positions.length, 5);
  t.match(tested.events('unsupported-positions'), [{ hotkey: 'miner-a', count: 1 }]);
});

await t.test('orders that wait below a miner are not taken for positions', async (t) => {
  const waiting = (name: string): string => `validation/miners/miner-a/limit_orders/BTCUSD/${name}`;
  const root = makePtnRoot(t, {
    positions: [quantityRecord('first', two)],
    files: {
      [waiting('unfilled/5c3a-bracket')]: '{"order_uuid": "5c3a-bracket", "src": 8}',
      [waiting('closed/half')]: '{"order_uuid": "ha',
      [waiting('open/looks-like-one')]: JSON.stringify(quantityRecord('looks-like-one', two)),
      'validation/miners/miner-b/limit_orders/garbage': Buffer.from([0, 255, 1]),
    },
  });
  const tested = new FeedUnderTest(t, root.path);
  await tested.feed.start();
  t.same(tested.uuids('miner-a'), ['first']);
  t.equal(tested.feed.treeStats()?.directories, 6, 'their folders are neither watched nor swept');
  root.writeFile(waiting('unfilled/later'), 'garbage');
  root.writePosition(quantityRecord('second', [order('second', NOW - 1000)]));
  await waitFor(() => tested.uuids('miner-a').includes('second'), { what: 'the next position' });
  t.same(
    tested.logged.filter(({ level }) => Number(level) >= 40),
    [],
    'nothing is reported',
  );
});
