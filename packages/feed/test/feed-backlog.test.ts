import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { cutPosition, readPosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { waitFor } from '@ptn-api/testkit';
import pino from 'pino';
import t from 'tap';
import type { Test } from 'tap';
import { OrderSequencer } from '../dist/orders/order-sequencer.js';
import type { OrderSequencerOptions } from '../dist/orders/order-sequencer.js';
import type { PositionText } from '@ptn-api/positions';
import { splitPosition, splitPositions } from '../dist/tasks/split-positions.js';
import type { PositionToSplit } from '../dist/tasks/split-positions.js';
import { positionText } from '../../order-log/dist/order-log.js';
import { trade } from './feed-fixture.ts';
import { MemoryOrderLog } from './memory-order-log.ts';

const NOW = 1_760_000_000_000;
const HOUR_MS = 3_600_000;

function read(text: string): PositionText {
  const reading = readPosition(text);
  if (!reading.ok) throw new Error(reading.reason);
  return reading;
}

/** As Python writes it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, member]) => `"${key}": ${spaced(member)}`)
    .join(', ')}}`;
}

/** A position whose orders were placed at these times, each of about that size. */
function seen(uuid: string, times: readonly number[], orderBytes = 0, hotkey = 'm'): PositionText {
  const position = trade({ uuid, hotkey, times });
  const orders = position.orders.map((order) => ({ ...order, note: 'ü'.repeat(orderBytes / 2) }));
  return read(spaced({ ...position, orders }));
}

function times(count: number, fromMs = NOW - HOUR_MS, stepMs = 1000): number[] {
  return Array.from({ length: count }, (_, index) => fromMs + index * stepMs);
}

function stream(t: Test, writer: MemoryOrderLog, more: Partial<OrderSequencerOptions> = {}) {
  const logged: Record<string, unknown>[] = [];
  const tasks: PositionToSplit[] = [];
  const orders = new OrderSequencer({
    writer,
    log: pino(
      { level: 'debug' },
      { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
    ),
    retention: { maxAgeMs: 1e9, maxCount: 1e9, maxBytes: 1e12 },
    onState: () => Promise.resolve(),
    now: () => NOW,
    activeMs: 3000,
    split: (input) => {
      tasks.push(...input.positions);
      return splitPositions(input);
    },
    ...more,
  });
  t.teardown(() => orders.close());
  const events = (name: string): Record<string, unknown>[] => logged.filter(({ event }) => event === name);
  return { orders, tasks, events };
}

const uuids = (writer: MemoryOrderLog): string[] => writer.appended.map(({ orderUuid }) => orderUuid);
const dayBefore = (): MemoryOrderLog => new MemoryOrderLog(NOW - 24 * HOUR_MS);

await t.test('what a position is taken apart into is what each cut of it would be', (t) => {
  const position = trade({ uuid: 'p', times: times(7), closed: true, sources: true });
  const liquidated = trade({ uuid: 'q', times: times(3) });
  const crash = liquidated.orders.map((order, index) =>
    index === 1 ? { ...order, price: 1, leverage: 5 } : order,
  );
  const texts: [string, string][] = [
    ['as Python writes it', spaced(position)],
    ['without blanks', JSON.stringify(position)],
    ['with other layout', JSON.stringify(position, null, 2)],
    ['with other characters', spaced({ ...position, miner_hotkey: '"orders": [ü€😀' })],
    ['with two lists of orders', `{"orders": [1], ${spaced(position).slice(1)}`],
    [
      'without some members',
      spaced({ ...position, realized_pnl: undefined, net_leverage: undefined }).replaceAll(
        /"\w+": undefined, /g,
        '',
      ),
    ],
    ['liquidated', spaced({ ...liquidated, orders: crash })],
  ];
  for (const [what, text] of texts) {
    const { facts, text: own } = read(text);
    const { generation } = facts;
    const orderCount = facts.orderUuids.length;
    const indexes = [...facts.orderUuids.keys()];
    const split = splitPosition({ positionUuid: 'p', text: own, generation, orderCount, indexes });
    t.equal(split.reason, null, what);
    t.same(
      split.parts.map((parts) => positionText(parts)),
      indexes.map((index) => {
        const cut = cutPosition(own, (order) => order <= index);
        return index === orderCount - 1 || !cut.ok ? own : cut.text;
      }),
      what,
    );
  }
  t.end();
});

await t.test(
  'a position of 2,000 orders in 1.1 MB is parsed a few times, not once for each order',
  async (t) => {
    const work = async (count: number) => {
      const writer = dayBefore();
      const { orders, tasks } = stream(t, writer);
      await orders.begin();
      const position = seen('p', times(count), 800);
      orders.observe('m', position);
      await orders.store();
      t.same(uuids(writer), position.facts.orderUuids);
      const lists = new Set(
        writer.appended.map((event) => (typeof event.position === 'string' ? '' : event.position.list)),
      );
      return { parses: tasks.length, lists: lists.size, sizeBytes: position.text.length };
    };
    const [small, large] = [await work(500), await work(2000)];
    t.ok(large.sizeBytes > 1_100_000);
    t.ok(large.parses <= 8, `${large.parses} times`);
    t.ok(large.parses <= small.parses * 4, 'as many as it is larger');
    t.ok(large.lists <= large.parses, 'its orders are held once for each time');
  },
);

await t.test('an order with a megabyte of price sources is streamed as it is', async (t) => {
  const writer = dayBefore();
  const { orders, tasks } = stream(t, writer);
  await orders.begin();
  const position = seen('p', [NOW - 1000], 1_000_000);
  orders.observe('m', position);
  await orders.store();
  t.equal(positionText(writer.appended[0]?.position ?? ''), position.text);
  t.equal(tasks.length, 1, 'by a thread');
});

/** A thread that takes a position apart when it is told to. */
function slowSplit() {
  const waiting: (() => void)[] = [];
  const started: string[] = [];
  const split = async (input: { positions: readonly PositionToSplit[] }) => {
    if (input.positions.some(({ text }) => text.length < 1_000_000)) return splitPositions(input);
    started.push(...input.positions.map(({ positionUuid }) => positionUuid));
    await new Promise<void>((resolve) => waiting.push(resolve));
    return splitPositions(input);
  };
  return { split, started, go: () => waiting.shift()?.() };
}

await t.test('orders of others go on while a large position is taken apart', async (t) => {
  const writer = dayBefore();
  const { split, started, go } = slowSplit();
  const { orders } = stream(t, writer, { split });
  await orders.begin();
  const large = seen('large', [NOW - 3000, NOW - 2000], 2_200_000, 'l');
  orders.observe('l', large);
  orders.observe('k', seen('next', [NOW - 3000], 2_200_000, 'k'));
  const stored = orders.store();
  for (const uuid of ['a', 'b', 'c']) {
    orders.observe('m', seen(uuid, [NOW - 1000]));
    void orders.store();
    await waitFor(() => uuids(writer).includes(`${uuid}-order-0`), { what: `the order of ${uuid}` });
  }
  t.same(started, ['large'], 'one at a time');
  t.equal(writer.appended.length, 3);
  go();
  await waitFor(() => uuids(writer).length === 5, { what: 'the orders of the large position' });
  await waitFor(() => started.length === 2, { what: 'the next one' });
  go();
  await stored;
  t.same(uuids(writer).slice(3), ['large-order-0', 'large-order-1', 'next-order-0']);
  t.equal(positionText(writer.appended[3]?.position ?? '').includes('large-order-1'), false);
  t.equal(positionText(writer.appended[4]?.position ?? ''), large.text);
});

await t.test('a large position that is read anew while it is taken apart is streamed once', async (t) => {
  const writer = dayBefore();
  const { split, started, go } = slowSplit();
  const { orders } = stream(t, writer, { split });
  await orders.begin();
  orders.observe('l', seen('large', times(2, NOW - 9000), 2_200_000, 'l'));
  const stored = orders.store();
  orders.observe('k', seen('other', [NOW - 5000], 2_200_000, 'k'));
  orders.observe('k', seen('other', times(2, NOW - 5000), 2_200_000, 'k'));
  const longer = seen('large', times(3, NOW - 9000), 2_200_000, 'l');
  orders.observe('l', longer);
  while (started.length < 2) {
    go();
    await nextTurn();
  }
  const all = waitFor(() => uuids(writer).length === 5, { what: 'all orders' });
  const turns = setInterval(go, 1);
  await all;
  clearInterval(turns);
  await stored;
  t.same(uuids(writer).toSorted(), [...longer.facts.orderUuids, 'other-order-0', 'other-order-1']);
  t.equal(
    started.filter((uuid) => uuid === 'other').length,
    1,
    'what a later reading holds is not taken apart',
  );
  t.equal(
    positionText(writer.appended.find(({ orderUuid }) => orderUuid === 'large-order-2')?.position ?? ''),
    longer.text,
  );
});

await t.test('an end stores the orders of the position that is being taken apart', async (t) => {
  const writer = dayBefore();
  const { split, started, go } = slowSplit();
  const { orders } = stream(t, writer, { split });
  await orders.begin();
  // A next start long after would take it for old: it was placed before this one was last known to run.
  orders.observe('l', seen('large', [NOW - 3000], 2_200_000, 'l'));
  void orders.store();
  await waitFor(() => started.length === 1, { what: 'it is taken apart' });
  const finished = orders.finish();
  await nextTurn();
  t.same(uuids(writer), []);
  go();
  await finished;
  t.same(uuids(writer), ['large-order-0']);
  orders.observe('m', seen('later', [NOW - 1000]));
  await orders.store();
  t.same(uuids(writer), ['large-order-0'], 'and nothing afterwards');
});

await t.test(
  '100 positions of 100 orders at a start: each parsed once, all in the order of their times',
  async (t) => {
    const writer = dayBefore();
    const { orders, tasks } = stream(t, writer);
    const placed: [number, string][] = [];
    for (let n = 0; n < 100; n++) {
      const position = seen(
        `p${n}`,
        times(100, NOW - HOUR_MS + n * 7, 20_000 + n * 13),
        600,
        `miner-${n % 10}`,
      );
      orders.observe(`miner-${n % 10}`, position);
      placed.push(
        ...position.facts.orderUuids.map((uuid, index): [number, string] => [
          position.facts.orderTimesMs[index] ?? 0,
          uuid,
        ]),
      );
    }
    await orders.begin();
    await orders.store();
    t.same(
      uuids(writer),
      placed.sort(([a], [b]) => a - b).map(([, uuid]) => uuid),
    );
    t.equal(tasks.length, 100);
    const sizes = writer.appended.map(
      (event) => (JSON.parse(positionText(event.position)) as Position).orders.at(-1)?.order_uuid,
    );
    t.same(sizes, uuids(writer), 'each with the position as of its order');
  },
);

await t.test('a miner that costs too much is postponed, with one warning, and loses nothing', async (t) => {
  const writer = dayBefore();
  const { orders, events } = stream(t, writer);
  const costly = ['a', 'b', 'c'].map((uuid) => seen(uuid, times(1500, NOW - HOUR_MS, 10), 3000, 'costly'));
  for (const position of costly) orders.observe('costly', position);
  const others = Array.from({ length: 40 }, (_, n) =>
    seen(`o${n}`, times(5, NOW - 1000 + n), 0, `other-${n}`),
  );
  for (const [n, position] of others.entries()) orders.observe(`other-${n}`, position);
  await orders.begin();
  await orders.store();
  const order = uuids(writer);
  t.equal(order.length, 4500 + 200);
  t.equal(new Set(order).size, order.length, 'each once');
  const lastOther = Math.max(
    ...others.flatMap(({ facts }) => facts.orderUuids.map((uuid) => order.indexOf(uuid))),
  );
  t.ok(lastOther < 4000, `the others had all at ${lastOther}`);
  t.match(events('miner-postponed'), [{ hotkey: 'costly', level: 40 }]);
  for (const { facts } of costly)
    t.same(
      order.filter((uuid) => uuid.startsWith(`${facts.positionUuid}-`)),
      facts.orderUuids,
      'its own in their order',
    );
});

await t.test('postponed miners share what is streamed', async (t) => {
  const writer = dayBefore();
  const { orders, events } = stream(t, writer);
  await orders.begin();
  const miners = ['x', 'y', 'z'];
  for (const hotkey of miners)
    orders.observe(hotkey, seen(`${hotkey}0`, times(1500, NOW - 15_000, 10), 3000, hotkey));
  await orders.store();
  t.equal(new Set(uuids(writer)).size, 4500);
  t.same(
    events('miner-postponed')
      .map(({ hotkey }) => hotkey)
      .sort(),
    miners,
    'one line for each',
  );
  const half = uuids(writer).slice(0, 2250);
  for (const hotkey of miners)
    t.ok(half.filter((uuid) => uuid.startsWith(hotkey)).length > 500, `${hotkey} has its share`);
});

await t.test('orders of others do not wait behind the many of one miner, and end its pause', async (t) => {
  const writer = dayBefore();
  const { orders, events } = stream(t, writer);
  await orders.begin();
  const first = seen('first', [NOW - 1000], 0, 'other');
  orders.observe('other', first);
  await orders.store();
  // 20 MB of messages: more than may be streamed at once.
  orders.observe('large', seen('large', times(100, NOW - 900, 1), 4000, 'large'));
  const stored = orders.store();
  await waitFor(() => events('miner-postponed').length === 1, { what: 'the miner is postponed' });
  t.ok(uuids(writer).length < 60, `${uuids(writer).length} were streamed at once`);
  orders.observe('other', seen('second', [NOW - 100], 0, 'other'));
  void orders.store();
  await waitFor(() => uuids(writer).includes('second-order-0'), { what: 'the order of the other' });
  t.ok(uuids(writer).length < 102, 'before the rest');
  await stored;
  t.equal(uuids(writer).length, 102);
  t.same(
    uuids(writer).filter((uuid) => uuid.startsWith('large')),
    times(100).map((_, index) => `large-order-${index}`),
    'in their order',
  );
});

await t.test('an end does not wait for postponed orders, which the next start finds', async (t) => {
  const writer = dayBefore();
  const aliveMs = writer.lastAliveMs;
  const { orders, events } = stream(t, writer);
  orders.observe('other', seen('first', [NOW - 1000], 0, 'other'));
  orders.observe('large', seen('large', times(1500, NOW - 15_000, 10), 3000, 'large'));
  await orders.begin();
  t.equal(events('miner-postponed').length, 1);
  await orders.finish();
  t.ok(uuids(writer).length < 1501);
  t.equal(writer.lastAliveMs, aliveMs, 'what is left counts as new');
});

await t.test('a later reading of a position takes the place of the orders that still wait', async (t) => {
  const writer = dayBefore();
  const { orders } = stream(t, writer);
  const old = times(3);
  orders.observe('m', seen('p', old));
  orders.observe('m', seen('p', [...old, NOW - 5000], 10));
  orders.observe('m', seen('q', [NOW - 6000]));
  // A reading without some of them: what was seen is streamed.
  orders.observe('m', seen('p', old.slice(0, 1), 20));
  await orders.begin();
  await orders.store();
  t.same(uuids(writer), ['p-order-0', 'p-order-1', 'p-order-2', 'q-order-0', 'p-order-3']);
  const notes = writer.appended.map((event) => positionText(event.position).split('ü').length - 1);
  t.same(notes, [10, 10, 15, 0, 20]);
});

await t.test(
  'a thread that dies once costs nothing; twice, no message shows a state that is not that of its order',
  async (t) => {
    for (const deaths of [1, 2]) {
      const writer = dayBefore();
      let left = deaths;
      const { orders, events } = stream(t, writer, {
        split: (input) => {
          if (left-- > 0) throw new Error('the thread died');
          return splitPositions(input);
        },
      });
      await orders.begin();
      const position = seen('p', times(200), 600);
      orders.observe('m', position);
      await orders.store();
      t.same(uuids(writer), position.facts.orderUuids);
      const whole = JSON.parse(position.text) as Position;
      const wrong = writer.appended.filter((event, index) => {
        const text = positionText(event.position);
        // The last one is the file itself.
        if (index === 199) return text !== position.text;
        const { orders: shown, ...state } = JSON.parse(text) as Position;
        const { miner_hotkey, position_uuid, trade_pair, open_ms, ...others } = state;
        const identity = { miner_hotkey, position_uuid, trade_pair, open_ms };
        const unsaid = Object.values(others).every((value) => value === null);
        return !(
          isDeepStrictEqual(shown, whole.orders.slice(0, index + 1)) &&
          isDeepStrictEqual({ ...whole, ...identity }, whole) &&
          unsaid === (deaths === 2) &&
          Object.keys(state).length === Object.keys(whole).length - 1
        );
      });
      t.same(wrong, []);
      t.equal(events('order-split-failed').length, deaths - 1);
      if (deaths > 1) t.match(events('order-split-failed'), [{ level: 50, position: 'p' }]);
    }
  },
);

await t.test('a start does not wait for a long backlog, and a crash within it loses nothing', async (t) => {
  const writer = dayBefore();
  const aliveMs = writer.lastAliveMs;
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const { orders } = stream(t, writer, {
    split: async (input) => {
      await held;
      return splitPositions(input);
    },
  });
  orders.observe('m', seen('p', times(300), 600));
  await orders.begin();
  t.same(uuids(writer), [], 'it has begun, with nothing stored');
  t.equal(writer.lastAliveMs, aliveMs, 'a feed that starts now finds all of them');
  release();
  await orders.store();
  t.equal(uuids(writer).length, 300);
  await waitFor(() => writer.lastAliveMs === NOW, { what: 'it is noted that the feed runs' });
});
