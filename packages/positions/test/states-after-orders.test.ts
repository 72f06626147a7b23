import { readPosition, statesAfterOrders, statesNotRebuilt } from '../dist/index.js';
import type { StateParts } from '../dist/index.js';
import t from 'tap';
import { CUTOFF, order, positionOf } from './sample-positions.ts';

type Members = Record<string, unknown>;

function textOf({ head, list, listBytes, tail }: StateParts): string {
  return head + Buffer.from(list).toString('utf8', 0, listBytes) + tail;
}

/** The states after the orders at these indexes, parsed, and why some of them say nothing. */
function statesOf(record: object, indexes: readonly number[], states = statesAfterOrders) {
  const read = readPosition(JSON.stringify(record));
  if (!read.ok) throw new Error(read.reason);
  const { generation, orderUuids } = read.facts;
  const after = states(read.text, { generation, orderCount: orderUuids.length }, indexes);
  return { ...after, members: after.states.map((state) => JSON.parse(textOf(state)) as Members) };
}

const orders = [1, 2, 3].map((index) =>
  order({ order_uuid: `order-${index}`, leverage: index / 100, processed_ms: CUTOFF + index }),
);
const uuidsOf = (members: Members | undefined): unknown =>
  (members?.['orders'] as Members[] | undefined)?.map((each) => each['order_uuid']);

void t.test('each state is that of a position which has no more orders, whatever the sequence', (t) => {
  const { members, states, reason } = statesOf(positionOf(orders), [0, 2, 1]);
  [1, 3, 2].forEach((count, state) => {
    t.strictSame(members[state], JSON.parse(JSON.stringify(positionOf(orders.slice(0, count)))));
  });
  t.equal(states[0]?.list, states[2]?.list, 'they share one list');
  t.equal(reason, null);
  t.end();
});

void t.test('the state after the last order is the text as it stands', (t) => {
  const record = { ...positionOf(orders), current_return: 1.25 };
  const read = readPosition(JSON.stringify(record));
  const { states } = statesOf(record, [2]);
  t.equal(states.map(textOf).join(), read.ok && read.text);
  t.equal(statesOf(record, [1, 2]).members[1]?.['current_return'], 1.25);
  t.end();
});

void t.test('fees of 2026 are in the state after an order if they were paid by then', (t) => {
  const times = [CUTOFF + 1, CUTOFF + 2, CUTOFF + 3];
  const sized = orders.map((each) => ({ ...each, value: 1000, quantity: 10 }));
  const record = {
    ...positionOf(orders),
    ...{ orders: sized, account_size: 100_000, net_value: 3000, net_quantity: 30, unrealized_pnl: 0 },
    fee_history: times.map((time_ms) => ({ fee_type: 'carry', amount: 1, time_ms })),
    ...{ dividend_history: [], last_price_source: null, last_quote_usd_conversion: 1 },
  };
  const { members, reason } = statesOf(record, [0, 1, 2]);
  t.equal(reason, null);
  members.forEach((state, index) => {
    const fees = state['fee_history'] as Members[];
    t.strictSame(
      fees.map((fee) => fee['time_ms']),
      times.slice(0, index + 1),
    );
  });
  t.end();
});

void t.test('a state that cannot be rebuilt says which position it is, its orders, and nothing else', (t) => {
  const unknown = { ...positionOf(orders), net_quantity: 1, net_margin: 1 };
  const { members, reason } = statesOf(unknown, [0, 1, 2]);
  t.equal(reason, 'its form is not known');
  for (const [index, state] of members.slice(0, 2).entries()) {
    const { miner_hotkey, position_uuid, trade_pair, open_ms } = unknown;
    t.match(state, { miner_hotkey, position_uuid, trade_pair, open_ms });
    t.strictSame(uuidsOf(state), ['order-1', 'order-2'].slice(0, index + 1));
    for (const member of ['current_return', 'net_leverage', 'close_ms', 'net_margin'])
      t.equal(state[member], null, member);
  }
  t.strictSame(members[2], JSON.parse(JSON.stringify(unknown)));
  t.end();
});

void t.test('orders before the one that cannot be accounted have their states', (t) => {
  const odd = { ...order({ order_uuid: 'order-4', processed_ms: CUTOFF + 4 }), leverage: 'much' };
  const record = { ...positionOf(orders), orders: [...orders, odd, odd] };
  const { members, reason } = statesOf(record, [0, 1, 2, 3, 4]);
  t.match(reason, /order 3 has no usable leverage/);
  t.strictSame(
    members.map((state) => state['net_leverage']),
    [0.01, 0.03, 0.06, null, 0.06],
  );
  t.end();
});

void t.test('where nothing is rebuilt, the last state is the text and the others say the orders', (t) => {
  const record = positionOf(orders);
  const { members } = statesOf(record, [2, 0], (text, said, indexes) => ({
    states: statesNotRebuilt(text, said, indexes),
    reason: null,
  }));
  t.strictSame(members[0], JSON.parse(JSON.stringify(record)));
  t.match(members[1], { position_uuid: record.position_uuid, open_ms: record.open_ms, net_leverage: null });
  t.strictSame(uuidsOf(members[1]), ['order-1']);
  t.end();
});

void t.test('a position without orders has no states', (t) => {
  const { orders: none, ...record } = positionOf(orders);
  t.equal(none.length, 3);
  const said = { generation: '2025', orderCount: 0 };
  t.throws(() => statesAfterOrders(JSON.stringify(record), said, [0]), /no state/);
  t.throws(() => statesNotRebuilt(JSON.stringify(record), said, [0]), /no state/);
  t.end();
});
