import {
  cutPosition,
  DAY_MS,
  positionAtTier,
  readPosition,
  rebuildRecord,
  isSettled,
  nextTierChangeMs,
} from '../dist/index.js';
import type { Order, Position } from '@ptn-api/protocol';
import t from 'tap';
import { CUTOFF, NOW, order, pairOf } from './sample-positions.ts';

const HOUR_MS = 3_600_000;
const OPENED_MS = CUTOFF - 10 * HOUR_MS;

/** An order of BTCUSD at 100, so that 0.1 of the account is 10,000 USD, or 100 coins. */
function sized(fields: Partial<Order> = {}): Order {
  return { ...order({ slippage: 0, processed_ms: OPENED_MS }), value: null, quantity: null, ...fields };
}

function record(orders: readonly Order[], fields: Partial<Position> = {}): Position {
  return {
    miner_hotkey: '5Hotkey',
    position_uuid: '00000000-0000-4000-8000-000000000001',
    open_ms: OPENED_MS,
    trade_pair: pairOf('BTCUSD'),
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
  };
}

const since2026 = {
  fee_history: [],
  dividend_history: [],
  last_price_source: null,
  last_quote_usd_conversion: 1,
};

void t.test('sizes and rates that are missing follow from leverage and price, and are written back', (t) => {
  const { orders, ...rest } = rebuildRecord(record([sized()]));
  t.match(orders[0], { value: 10_000, quantity: 100, quote_usd_rate: 1, usd_base_rate: 0.01 });
  t.match(rest, { net_value: 10_000, net_quantity: 100, net_leverage: 0.1, cumulative_entry_value: 10_000 });
  const yen = rebuildRecord(record([sized({ price: 150 })], { trade_pair: pairOf('USDJPY') }));
  t.match(yen.orders[0], { value: 10_000, quantity: 0.1, quote_usd_rate: 1 / 150, usd_base_rate: 1 });
  const cross = rebuildRecord(record([sized({ usd_base_rate: 0.8 })], { trade_pair: pairOf('EURGBP') }));
  t.match(
    cross.orders[0],
    { quote_usd_rate: 0, usd_base_rate: 0.8, quantity: 0.08 },
    'nothing says what a pound is',
  );
  const given = rebuildRecord(record([sized({ value: 9000, quantity: 90, usd_base_rate: 0.5 })]));
  t.match(given.orders[0], { value: 9000, quantity: 90, usd_base_rate: 0.5 }, 'what is given stays');
  t.end();
});

void t.test(
  'an order closes that leaves no leverage or no quantity; since 2026 the quantity decides',
  (t) => {
    const opened = sized({ value: 10_000, quantity: 100 });
    const back = (leverage: number, quantity: number): Order =>
      sized({ order_type: 'SHORT', leverage, quantity, value: -1, order_uuid: 'b' });
    const closes = (order: Order, fields: Partial<Position> = {}): boolean =>
      rebuildRecord(record([opened, order], fields)).is_closed_position;
    t.equal(closes(back(-0.1, -99)), true, 'by leverage');
    t.equal(closes(back(-0.05, -100)), true, 'by quantity');
    t.equal(closes(back(-0.05, -50)), false);
    t.equal(closes(back(-0.1, -99), since2026), false, 'not by leverage');
    t.equal(closes(back(-0.05, -100), since2026), true);
    const { orders } = rebuildRecord(record([opened, back(-0.3, -300)]));
    t.match(
      orders[1],
      { leverage: -0.1, quantity: -100, value: -10_000 },
      'it has the sizes of what it closed',
    );
    const { orders: none } = rebuildRecord(record([sized({ quantity: 0, value: 0 }), back(-1, -1)]));
    t.match(none[0], { leverage: 0, quantity: 0 }, 'a first order without quantity closes at once');
    t.match(none[1], { leverage: -1 }, 'and those behind it stay');
    t.end();
  },
);

void t.test('the validator writes minus nothing as -0.0', (t) => {
  const cut = cutPosition(JSON.stringify(record([sized({ quantity: 0, value: 0 })])), () => true);
  t.ok(cut.ok && /"leverage": ?-0\.0,/.test(cut.text) && /"quantity": ?-0\.0,/.test(cut.text));
  t.end();
});

void t.test(
  'an elimination without a price leaves returns as they were; since 2026 a dropped pair does not',
  (t) => {
    const opened = sized({ value: 10_000, quantity: 100 });
    const up = sized({ leverage: 0.1, price: 110, value: 10_000, quantity: 90, order_uuid: 'b' });
    const flat = (src: number): Order =>
      sized({ order_type: 'FLAT', leverage: 0, price: 0, quote_usd_rate: 1, src, order_uuid: 'c' });
    const before = rebuildRecord(record([opened, up]));
    for (const src of [1, 2]) {
      const after = rebuildRecord(record([opened, up, flat(src)]));
      t.match(after, { is_closed_position: true, net_quantity: 0, net_value: 0, net_leverage: 0 });
      t.equal(after.current_return, before.current_return);
      t.equal(after.realized_pnl, before.realized_pnl);
    }
    t.equal(rebuildRecord(record([opened, up, flat(1)], since2026)).realized_pnl, 0);
    t.not(rebuildRecord(record([opened, up, flat(2)], since2026)).realized_pnl, 0, 'its price counts as 0');
    t.end();
  },
);

void t.test(
  'a position that lost everything gets the flat order of the validator, and since 2026 none',
  (t) => {
    const opened = sized({ leverage: 2, value: 200_000, quantity: 2000 });
    const crash = sized({ leverage: 0.1, price: 40, value: 10_000, quantity: 250, order_uuid: 'b' });
    const lost = rebuildRecord(record([opened, crash]));
    t.match(lost, {
      current_return: 0,
      is_closed_position: true,
      net_quantity: 2000,
      average_entry_price: 100,
    });
    t.match(lost.orders[2], {
      src: 1,
      order_type: 'FLAT',
      leverage: -2,
      value: null,
      quantity: null,
      price: 0,
    });
    t.equal(lost.orders[2]?.order_uuid, '100000000000-0008-0004-0000-00000000');
    const kept = rebuildRecord(record([opened, crash], since2026));
    t.match(kept, { current_return: 0, is_closed_position: false, close_ms: null, net_quantity: 2000 });
    t.equal(kept.orders.length, 2);
    const later = rebuildRecord(
      record([opened, crash, sized({ leverage: 0.1, value: 1, quantity: 1 })], since2026),
    );
    t.equal(later.net_quantity, 2001, 'further orders count');
    t.end();
  },
);

void t.test('what cannot be accounted says why', (t) => {
  const reasonOf = (orders: readonly Order[], fields: Partial<Position> = {}): string => {
    const cut = cutPosition(JSON.stringify(record(orders, fields)), () => true);
    return cut.ok ? 'none' : cut.reason;
  };
  t.match(reasonOf([sized({ leverage: 0 })]), /leverage of 0/);
  t.match(reasonOf([sized({ price: 0 })]), /price of 0/);
  t.equal(
    reasonOf([sized(), sized({ leverage: null as unknown as number })]),
    'order 1 has no usable leverage',
  );
  t.equal(reasonOf([{ ...sized(), value: 'much' as unknown as number }]), 'order 0 has no usable value');
  t.equal(reasonOf([{ ...sized(), quantity: true as unknown as number }]), 'order 0 has no usable quantity');
  t.equal(
    reasonOf([{ ...sized(), quote_usd_rate: '1' as unknown as number }]),
    'order 0 has no usable quote_usd_rate',
  );
  t.equal(reasonOf([{ ...sized(), order_type: 'BUY' as 'LONG' }]), 'order 0 has no usable order_type');
  const values = sized({ value: 1, quantity: 1 });
  t.equal(reasonOf([values, values], { account_size: 0 }), 'the account size is 0');
  t.equal(
    reasonOf([sized({ leverage: 0, value: 0, quantity: 0 })], since2026),
    'none',
    'since 2026 it is closed',
  );
  t.end();
});

void t.test('slippage counts at all dates since 2026, before from February 2025 on', (t) => {
  const early = sized({ slippage: 0.01, processed_ms: 1_700_000_000_000, value: 10_000, quantity: 100 });
  t.equal(rebuildRecord(record([early])).average_entry_price, 100);
  t.equal(rebuildRecord(record([early], since2026)).average_entry_price, 101);
  t.end();
});

void t.test(
  'fees are in the return, and since 2026 in a history; metals have lots of their own then',
  (t) => {
    const opened = sized({ value: 10_000, quantity: 100 });
    t.equal(rebuildRecord(record([opened])).return_at_close, 1 - 0.1 * 0.001);
    t.equal(rebuildRecord(record([opened], since2026)).return_at_close, 1);
    const gold = { trade_pair: pairOf('XAUUSD') };
    t.equal(rebuildRecord(record([sized({ price: 2000 })], gold)).orders[0]?.quantity, 0.00005);
    t.equal(
      rebuildRecord(record([sized({ price: 2000 })], { ...gold, ...since2026 })).orders[0]?.quantity,
      0.05,
    );
    t.end();
  },
);

const source = (startMs: number): object => ({ source: 'Polygon_ws', timespan_ms: 1000, start_ms: startMs });
const fee = (timeMs: number): object => ({ fee_type: 'carry', amount: 1.5, time_ms: timeMs });

/** Opened ten hours before the cutoff, added to an hour after it; fees, dividends and prices on both sides. */
function recordOf2026(fields: object = {}): string {
  const opened = sized({
    value: 10_000,
    quantity: 100,
    price_sources: [source(OPENED_MS - 2000)],
    quote_usd_rate: 1.25,
  });
  const added = sized({ value: 10_000, quantity: 100, order_uuid: 'b', processed_ms: CUTOFF + HOUR_MS });
  const times = [CUTOFF - 2 * HOUR_MS, CUTOFF - 1, CUTOFF, CUTOFF + HOUR_MS];
  return JSON.stringify({
    ...record([opened, added]),
    fee_history: times.map(fee),
    is_hl: false,
    dividend_history: times.map((time_ms) => ({ amount: 2, time_ms })),
    last_price_source: source(NOW - 5000),
    last_quote_usd_conversion: 1.3,
    ...fields,
  });
}

function shown(text: string, now = NOW): Record<string, unknown> {
  const reading = readPosition(text);
  if (!reading.ok) throw new Error(reading.reason);
  const view = positionAtTier(reading.text, reading.facts, 0, now);
  return view.kind === 'cut' ? (JSON.parse(view.text) as Record<string, unknown>) : { kind: view.kind };
}

void t.test('since 2026 fees, dividends and prices are cut as the orders are', (t) => {
  const times = [CUTOFF - 2 * HOUR_MS, CUTOFF - 1];
  const cut = shown(recordOf2026());
  t.match(cut, {
    fee_history: times.map(fee),
    dividend_history: times.map((time_ms) => ({ amount: 2, time_ms })),
    last_price_source: source(OPENED_MS - 2000),
    last_quote_usd_conversion: 1.25,
    is_hl: false,
  });
  t.equal((cut['fee_history'] as unknown[]).length, 2);
  const older = shown(recordOf2026({ last_price_source: source(CUTOFF - 1001) }));
  t.match(older['last_price_source'], source(CUTOFF - 1001), 'the last price of before the cutoff stays');
  const candle = shown(recordOf2026({ last_price_source: source(CUTOFF - 1000) }));
  t.match(candle['last_price_source'], source(OPENED_MS - 2000), 'a candle is as young as its end');
  const odd = shown(
    recordOf2026({ fee_history: [{ amount: 7 }, 8, null], dividend_history: 9, last_price_source: 5 }),
  );
  t.strictSame([odd['fee_history'], odd['dividend_history']], [[], []]);
  t.match(odd['last_price_source'], source(OPENED_MS - 2000));
  const absent = { fee_history: undefined, dividend_history: undefined };
  t.equal(Object.hasOwn(shown(recordOf2026({ ...absent, fee_history: [] })), 'dividend_history'), false);
  t.end();
});

void t.test(
  'since 2026 a position that is delayed no more keeps its state, and hides fees and prices of today',
  (t) => {
    const older = sized({
      value: 10_000,
      quantity: 100,
      price_sources: [source(OPENED_MS - 2000)],
      quote_usd_rate: 1.25,
    });
    const text = recordOf2026({ orders: [older], current_return: 1.0625 });
    const view = shown(text);
    t.match(view, {
      current_return: 1.0625,
      fee_history: [{}, {}],
      dividend_history: [{}, {}],
      last_price_source: source(OPENED_MS - 2000),
      last_quote_usd_conversion: 1.25,
    });
    t.equal((view['fee_history'] as unknown[]).length, 2);
    const withoutRate = recordOf2026({ orders: [{ ...older, quote_usd_rate: null }] });
    t.equal(shown(withoutRate)['last_quote_usd_conversion'], null);
    const reading = readPosition(text);
    if (!reading.ok) throw new Error(reading.reason);
    t.equal(nextTierChangeMs(reading.facts, NOW), CUTOFF + DAY_MS + 1, 'when the next fee is 24 h old');
    const closed = { closeMs: CUTOFF - 1 };
    t.equal(isSettled(closed, NOW), true);
    t.equal(isSettled({ ...closed, entryTimesMs: [CUTOFF - 1] }, NOW), true);
    t.equal(isSettled({ ...closed, entryTimesMs: [CUTOFF] }, NOW), false, 'not while a fee is younger');
    t.end();
  },
);

void t.test('since 2026 what does not say of when it is, is hidden while the position is open', (t) => {
  const orders = [sized({ value: 10_000, quantity: 100 })];
  const untimed = {
    fee_history: [[{ amount: 7 }]],
    dividend_history: { today: 9 },
    last_price_source: { close: 5 },
    last_quote_usd_conversion: undefined,
  };
  const unsaid = { ...untimed, orders, is_closed_position: undefined };
  // The second says by its close alone whether it is open.
  for (const record of [{ ...untimed, orders }, unsaid]) {
    const {
      fee_history: fees,
      dividend_history: dividends,
      last_price_source: price,
    } = shown(recordOf2026(record));
    t.strictSame([fees, dividends, price], [[], [], null]);
  }
  const closed = { ...untimed, orders, is_closed_position: true, close_ms: CUTOFF - 1 };
  t.same(shown(recordOf2026(closed)), { kind: 'same' }, 'a closed one is as old as its close');
  t.end();
});

void t.test('since 2026 a delayed state changes when a fee becomes 24 h old', (t) => {
  const reading = readPosition(recordOf2026());
  if (!reading.ok) throw new Error(reading.reason);
  const next = nextTierChangeMs(reading.facts, NOW);
  t.equal(next, CUTOFF + DAY_MS + 1);
  t.equal((shown(recordOf2026(), next - 1)['fee_history'] as unknown[]).length, 2);
  t.equal((shown(recordOf2026(), next)['fee_history'] as unknown[]).length, 3);
  t.end();
});

void t.test('a pair of 2026 with the fee of a class is accounted without a warning', (t) => {
  const warningOf = (pair: readonly unknown[]): unknown => {
    const reading = readPosition(recordOf2026({ trade_pair: pair }));
    if (!reading.ok) throw new Error(reading.reason);
    const view = positionAtTier(reading.text, reading.facts, 0, NOW);
    return view.kind === 'cut' ? view.warning : view.kind;
  };
  t.equal(warningOf(['BTCUSDC', 'BTC/USDC', 0.001, 0.01, 2.5]), undefined);
  t.match(warningOf(['BTCUSDC', 'BTC/USDC', 0.002, 0.01, 2.5]), /unknown trade pair BTCUSDC/);
  t.end();
});
