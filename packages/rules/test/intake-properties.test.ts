import { rebuildPosition } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { leverageBounds, NEW_MINER, PAIRS, portfolioCap, portfolioLeverage } from '@ptn-api/rules';
import fc from 'fast-check';
import t from 'tap';
import { HOTKEY, IntakeDesk, signalText, websocketPrice } from './intake-desk.ts';

const PAIRS_USED = ['BTCUSD', 'BTCUSD', 'EURUSD', 'EURUSD', 'ETHUSD', 'USDJPY', 'NVDA', 'XAUUSD', 'SPX'];
/** Before equities and metals were paused, so that every class can open positions; a Friday of an open week follows. */
const START_MS = Date.UTC(2025, 3, 7, 14);

const leverage = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: 0.01, max: 0.6, noNaN: true }) },
  { weight: 3, arbitrary: fc.double({ min: 0.1, max: 6, noNaN: true }) },
  { weight: 1, arbitrary: fc.double() },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...['NaN', 'Infinity', '-Infinity', '1e999', 'null', '"1"', '{}', 'true'],
      ...['0.1', '0.5', '5', '-5', '500'],
    ),
  },
);
const price = fc.oneof(
  { weight: 20, arbitrary: fc.double({ min: 0.5, max: 2, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, NaN, Infinity, 1e-9, 1e9) },
);
const step = fc.record({
  pair: fc.constantFrom(...PAIRS_USED),
  type: fc.constantFrom(...Array<string>(6).fill('LONG'), ...Array<string>(6).fill('SHORT'), 'FLAT', 'long'),
  leverage,
  price,
  bid: price,
  /** Up to two days, so that fees, weekends and the pause of some pairs are met. */
  afterMs: fc.oneof(fc.integer({ min: -5, max: 60_000 }), fc.integer({ min: 0, max: 172_800_000 })),
  uuid: fc.option(fc.constantFrom('a', '', '../c'), { nil: undefined, freq: 8 }),
});

/** Sends the signals one after the other and gives each with the miner's open positions before and after it. */
function* sent(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  const desk = new IntakeDesk();
  let nowMs = START_MS;
  for (const { pair, type, leverage: sentLeverage, price: open, bid, afterMs, uuid } of steps) {
    nowMs += afterMs;
    const before = desk.miners.get(HOTKEY) ?? NEW_MINER;
    const prices = {
      websocket: [websocketPrice(open, nowMs, { bid, ask: bid * 1.0001 })],
      rest: [websocketPrice(1, nowMs, { websocket: false, timespan_ms: 1000, bid: 1, ask: 1.0001 })],
    };
    const text = signalText(pair, type, sentLeverage);
    const result = desk.send({ text, nowMs, prices, ...(uuid === undefined ? {} : { uuid }) });
    yield { desk, result, pair, nowMs, before: before.openPositions, after: result.miner.openPositions };
  }
}

const sequences = fc.array(step, { minLength: 10, maxLength: 30 });
/** Sums of leverages may be off by the last digits. */
const SLACK = 1e-12;

void t.test('no accepted order takes a leverage further beyond its bound', (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(sequences, (steps) => {
      for (const { result, pair: id, nowMs, before, after } of sent(steps)) {
        if (!result.ok || result.accepted === undefined) continue;
        accepted += 1;
        const pair = PAIRS.get(id);
        const bounds = pair === undefined ? undefined : leverageBounds(pair, nowMs);
        if (bounds === undefined) throw new Error(`${id} was not traded`);
        const net = (positions: ReadonlyMap<string, Position>): number =>
          Math.abs(positions.get(id)?.net_leverage ?? 0);
        if (net(after) > Math.max(bounds.max, net(before)) + SLACK) throw new Error(`leverage ${net(after)}`);
        if (net(after) !== 0 && net(after) < bounds.min - SLACK && net(after) < net(before)) {
          throw new Error(`leverage ${net(after)} below the minimum`);
        }
        const portfolio = portfolioLeverage(after.values());
        if (portfolio > Math.max(portfolioCap(nowMs), portfolioLeverage(before.values())) + SLACK) {
          throw new Error(`portfolio leverage ${portfolio}`);
        }
      }
    }),
    { numRuns: 300 },
  );
  t.ok(accepted > 500, `${accepted} accepted orders`);
  t.end();
});

void t.test(
  'replaying the orders of a position gives the position, and fees only ever lower a return',
  (t) => {
    let positions = 0;
    fc.assert(
      fc.property(sequences, (steps) => {
        for (const { desk, result, pair } of sent(steps)) {
          if (!result.ok || result.accepted === undefined) continue;
          positions += 1;
          const { position } = result.accepted;
          const folder = position.is_closed_position ? 'closed' : 'open';
          const path = `validation/miners/${HOTKEY}/positions/${pair}/${folder}/${position.position_uuid}`;
          const stored = JSON.parse(desk.files.get(path) ?? 'null') as Position;
          const replayed = rebuildPosition(stored, stored.orders);
          if (JSON.stringify(replayed) !== JSON.stringify(stored))
            throw new Error(`${path} replays otherwise`);
          if (JSON.stringify(position) !== JSON.stringify(stored))
            throw new Error(`${path} differs from memory`);
          if (!(stored.return_at_close <= stored.current_return)) throw new Error(`${path} gained by fees`);
          if (stored.orders.some(({ slippage = NaN }) => !(slippage >= 0 && slippage <= 0.03))) {
            throw new Error(`${path} has a slippage out of its range`);
          }
        }
      }),
      { numRuns: 300 },
    );
    t.ok(positions > 500, `${positions} positions`);
    t.end();
  },
);

void t.test('a refused signal changes nothing but the count of requests', (t) => {
  let refused = 0;
  fc.assert(
    fc.property(sequences, (steps) => {
      for (const { result, before, after } of sent(steps)) {
        if (result.ok) continue;
        refused += 1;
        if (after !== before) throw new Error('positions of a refused signal');
        if (result.answer.error_message === '' || result.answer.order_json !== '')
          throw new Error('no refusal');
      }
    }),
    { numRuns: 300 },
  );
  t.ok(refused > 500, `${refused} refused signals`);
  t.end();
});

void t.test('a pair has at most one open position, and the files hold what is in memory', (t) => {
  let seen = 0;
  fc.assert(
    fc.property(sequences, (steps) => {
      for (const { desk, after } of sent(steps)) {
        const open = [...desk.files.keys()].filter((path) => path.includes('/open/')).sort();
        const known = [...after.values()].map(
          (p) => `validation/miners/${HOTKEY}/positions/${p.trade_pair[0]}/open/${p.position_uuid}`,
        );
        seen += open.length;
        if (open.join(' ') !== known.sort().join(' ')) throw new Error(`${open.join(' ')} are open`);
      }
    }),
    { numRuns: 200 },
  );
  t.ok(seen > 500, `${seen} open files`);
  t.end();
});
