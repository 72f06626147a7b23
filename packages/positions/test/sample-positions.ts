import { DAY_MS, rebuildPosition, TRADE_PAIRS } from '../dist/index.js';
import type { Order, Position, TradePair } from '@ptn-api/protocol';
import fc from 'fast-check';

/** The time of the read in tests of the tiers. */
export const NOW = 1_762_793_234_567;
export const CUTOFF = NOW - DAY_MS;

export function pairOf(id: string): TradePair {
  const pair = TRADE_PAIRS[id];
  if (pair === undefined) throw new RangeError(`no trade pair ${id}`);
  return pair;
}

export function order(fields: Partial<Order> = {}): Order {
  return {
    order_type: 'LONG',
    leverage: 0.1,
    price: 100,
    bid: 99.99,
    ask: 100.01,
    slippage: 0.0001,
    processed_ms: CUTOFF - 1000,
    order_uuid: '11111111-2222-3333-4444-555555555555',
    price_sources: [],
    src: 0,
    ...fields,
  };
}

/** A position of BTCUSD as the validator has it after these orders. */
export function positionOf(orders: readonly Order[], fields: Partial<Position> = {}): Position {
  const identity = {
    miner_hotkey: '5Hotkey',
    // In the real-time share of no tier but 100: its bucket is 77.
    position_uuid: '00000000-0000-4000-8000-000000000001',
    trade_pair: pairOf('BTCUSD'),
    ...fields,
  } as const;
  return { ...rebuildPosition(identity, orders), ...fields };
}

const orderType = fc.constantFrom('LONG', 'SHORT', 'FLAT');

function orderArbitrary(timeMs: fc.Arbitrary<number>): fc.Arbitrary<Order> {
  return fc
    .record({
      order_type: orderType,
      size: fc.integer({ min: 1, max: 50 }),
      price: fc.integer({ min: 1, max: 100_000 }),
      slippage: fc.constantFrom(0, 0.0001),
      processed_ms: timeMs,
      order_uuid: fc.uuid(),
      price_sources: fc.constantFrom([], [{ source: 'Polygon_ws', close: 1.5 }]),
      src: fc.constantFrom(0 as const, 1 as const, 3 as const),
    })
    .map(({ size, ...fields }) => ({
      ...fields,
      bid: 0,
      ask: 0,
      leverage: (fields.order_type === 'SHORT' ? -size : size) / 100,
    }));
}

/** Positions with orders on both sides of the cutoff, in and out of time order, open, closed and liquidated. */
export const positionArbitrary: fc.Arbitrary<Position> = fc
  .record({
    uuid: fc.uuid(),
    pair: fc.constantFrom(...Object.keys(TRADE_PAIRS)),
    accountSize: fc.constantFrom(undefined, 100_000),
    orders: fc.array(orderArbitrary(fc.integer({ min: CUTOFF - 8 * DAY_MS, max: NOW })), {
      minLength: 1,
      maxLength: 8,
    }),
    sorted: fc.boolean(),
  })
  .map(({ uuid, pair, accountSize, orders, sorted }) => {
    const identity = {
      position_uuid: uuid,
      trade_pair: pairOf(pair),
      ...(accountSize === undefined ? {} : { account_size: accountSize }),
    } as const;
    return positionOf(sorted ? orders.toSorted((a, b) => a.processed_ms - b.processed_ms) : orders, identity);
  });
