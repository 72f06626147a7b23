import assert from 'node:assert/strict';
import {
  cutPosition,
  DAY_MS,
  nextTierChangeMs,
  positionAtTier,
  readPosition,
  rebuildRecord,
  statesAfterOrders,
} from '../dist/index.js';
import type { PositionFacts } from '../dist/index.js';
import type { Position } from '@ptn-api/protocol';
import fc from 'fast-check';
import t from 'tap';
import { RECORD_GENERATIONS, randomRecord, withoutExtras, YOUNG } from './random-records.ts';
import { CUTOFF, NOW } from './sample-positions.ts';

const RUNS = { numRuns: 400 };

function read(record: object) {
  const reading = readPosition(JSON.stringify(record));
  if (!reading.ok) throw new Error(reading.reason);
  return reading;
}

/**
 * The rule by which a position is no longer delayed. Up to December 2025 validators go by the close or by the last order in the
 * list, also where another one is younger.
 */
function isOver(facts: PositionFacts): boolean {
  const { generation, closeMs, orderTimesMs } = facts;
  const isByYoungest = generation === '2026' || generation === 'unknown';
  const lastMs = closeMs ?? orderTimesMs.at(-1) ?? Infinity;
  return lastMs < CUTOFF && !(isByYoungest && orderTimesMs.some((timeMs) => timeMs >= CUTOFF));
}

/** Without what does not say of when it is, of which a cut shows none. */
function withTimes<T extends object>(record: T): T {
  const besides = Object.entries(record).map(([name, value]: [string, unknown]) => {
    if (name === 'last_price_source')
      return [name, Object.hasOwn(value ?? {}, 'start_ms') ? value : undefined];
    if (name !== 'fee_history' && name !== 'dividend_history') return [name, value];
    return [name, (value as object[]).filter((entry) => Object.hasOwn(entry, 'time_ms'))];
  });
  return Object.fromEntries(besides) as T;
}

/** The message of the stream after an order. */
function messageAfter(text: string, index: number): string {
  const { facts } = read(JSON.parse(text) as object);
  const record = { generation: facts.generation, orderCount: facts.orderUuids.length };
  const [state] = statesAfterOrders(text, record, [index]).states;
  assert.ok(state);
  return state.head + Buffer.from(state.list.subarray(0, state.listBytes)).toString() + state.tail;
}

for (const generation of RECORD_GENERATIONS) {
  void t.test(`${generation}: a delayed tier holds no byte of what is younger than 24 h`, (t) => {
    const seen = { cut: 0, dropped: 0, same: 0 };
    fc.assert(
      fc.property(randomRecord(generation), ({ record }) => {
        const { text, facts } = read(record);
        assert.equal(facts.generation, generation);
        const view = positionAtTier(text, facts, 0, NOW);
        seen[view.kind] += 1;
        if (view.kind === 'same') assert.ok(isOver(facts));
        if (view.kind === 'same' && generation === 'unknown') assert.ok(facts.isClosed);
        const hasYoung = facts.orderTimesMs.some((timeMs) => timeMs >= CUTOFF);
        if (view.kind === 'same') assert.ok(hasYoung || !text.includes(YOUNG), text);
        if (view.kind === 'dropped' && generation !== 'unknown') assert.ok(!isOver(facts));
        if (view.kind !== 'cut') return;
        assert.notEqual(generation, 'unknown');
        assert.ok((isOver(facts) && hasYoung) || !view.text.includes(YOUNG), view.text);
        if (isOver(facts)) return;
        for (const timeMs of facts.orderTimesMs) {
          if (timeMs >= CUTOFF) assert.ok(!view.text.includes(String(timeMs)));
        }
      }),
      RUNS,
    );
    t.ok(seen.same > 20 && seen.dropped > 20, JSON.stringify(seen));
    t.equal(seen.cut > 20, generation !== 'unknown');
    t.end();
  });

  void t.test(`${generation}: tier 100 passes bytes through, and what is cut is not cut again`, (t) => {
    fc.assert(
      fc.property(randomRecord(generation), ({ record }) => {
        const { text, facts } = read(record);
        assert.deepEqual(positionAtTier(text, facts, 100, NOW), { kind: 'same' });
        const view = positionAtTier(text, facts, 0, NOW);
        if (view.kind !== 'cut') return;
        const again = readPosition(view.text);
        assert.ok(again.ok);
        assert.equal(again.facts.generation, generation);
        const twice = positionAtTier(again.text, again.facts, 0, NOW);
        assert.ok(twice.kind === 'same' || (twice.kind === 'cut' && twice.text === view.text));
      }),
      RUNS,
    );
    t.end();
  });

  void t.test(`${generation}: nothing changes before the time at which something may`, (t) => {
    fc.assert(
      fc.property(randomRecord(generation), fc.nat({ max: 2 * DAY_MS }), ({ record }, laterMs) => {
        const { text, facts } = read(record);
        const next = nextTierChangeMs(facts, NOW);
        const thenMs = Math.min(NOW + laterMs, next - 1);
        assert.deepEqual(positionAtTier(text, facts, 0, thenMs), positionAtTier(text, facts, 0, NOW));
      }),
      RUNS,
    );
    t.end();
  });

  void t.test(`${generation}: a message holds the orders up to its own, and no state of a later one`, (t) => {
    fc.assert(
      fc.property(randomRecord(generation), fc.nat(), ({ record }, pick) => {
        const { text, facts } = read(record);
        const index = pick % facts.orderUuids.length;
        const message = messageAfter(text, index);
        // What no form has is passed on as it stands in the file.
        const state = withoutExtras(JSON.parse(message) as Position);
        const uuids = state.orders.map(({ order_uuid: uuid }) => uuid);
        assert.deepEqual(uuids.slice(0, index + 1), facts.orderUuids.slice(0, index + 1));
        // A liquidation adds one.
        assert.ok(uuids.length <= index + 2);
        if (index === facts.orderUuids.length - 1) return;
        const cut = cutPosition(text, (order) => order <= index);
        if (cut.ok) {
          const { trade_pair: pair, ...rest } = withoutExtras(JSON.parse(cut.text) as Position);
          const { trade_pair: streamed, ...got } = state;
          assert.deepEqual(got, rest);
          assert.equal(streamed[0], pair[0]);
          return;
        }
        const identity = ['miner_hotkey', 'position_uuid', 'trade_pair', 'open_ms', 'orders'];
        const others = Object.entries(state).filter(([member]) => !identity.includes(member));
        assert.equal(others.length, Object.keys(withoutExtras(record)).length - identity.length);
        assert.ok(others.every(([, value]) => value === null));
      }),
      RUNS,
    );
    t.end();
  });

  if (generation === 'unknown') continue;
  void t.test(`${generation}: as of its last order a position is what its record says`, (t) => {
    let compared = 0;
    fc.assert(
      fc.property(randomRecord(generation), fc.nat(), ({ record }, pick) => {
        const known = withTimes(withoutExtras(record));
        const orders = known.orders.filter(({ leverage }) => leverage !== 0);
        let whole: Position;
        try {
          whole = rebuildRecord({ ...known, orders } as unknown as Position);
        } catch (error) {
          assert.ok(error instanceof RangeError);
          return;
        }
        // A liquidation adds an order, and what the first order closed has no leverage to open with.
        if (whole.current_return === 0 || whole.orders[0]?.leverage === 0) return;
        compared += 1;
        const text = JSON.stringify(whole);
        assert.equal(JSON.stringify(rebuildRecord(whole)), text, 'accounted again it is the same');
        const last = whole.orders.length - 1;
        // The pair of a message may have another fee.
        const withoutPair = (json: string): object => ({
          ...(JSON.parse(json) as Position),
          trade_pair: null,
        });
        assert.deepEqual(withoutPair(messageAfter(text, last)), withoutPair(text));
        const count = 1 + (pick % whole.orders.length);
        const before = rebuildRecord({ ...whole, orders: whole.orders.slice(0, count) });
        const cut = cutPosition(
          text,
          (index) => index < count,
          () => true,
        );
        assert.ok(cut.ok);
        // Of a rate without a time a cut shows that of its newest order.
        const withoutRate = (position: Position): string =>
          JSON.stringify({ ...position, last_quote_usd_conversion: null });
        assert.equal(withoutRate(JSON.parse(cut.text) as Position), withoutRate(before));
      }),
      RUNS,
    );
    t.ok(compared > 50, `${compared} compared`);
    t.end();
  });
}
