import {
  cutLedgers,
  FeeCache,
  needsRebuild,
  perfLedgersFile,
  PORTFOLIO,
  readPerfLedgers,
  SCORING_GENERATIONS,
  updateLedgers,
} from '@ptn-api/scoring';
import type { LedgerBundle, LedgerUpdate, UpdatedLedgers } from '@ptn-api/scoring';
import fc from 'fast-check';
import t from 'tap';
import { DAY_MS, MARKET, NOW_MS, orderOf, positionOf } from './sample-miners.ts';

const terms = SCORING_GENERATIONS['2025-05'].ledger;
const START_MS = NOW_MS - 3 * DAY_MS + 1234;

function update(changes: Partial<LedgerUpdate>): UpdatedLedgers {
  const nowMs = changes.nowMs ?? NOW_MS;
  return updateLedgers({
    hotkey: 'hk',
    ledgers: undefined,
    positions: [],
    nowMs,
    wallClockMs: nowMs + 600_000,
    market: MARKET,
    terms,
    fees: new FeeCache(),
    ...changes,
  });
}

const portfolioOf = ({ ledgers }: { ledgers: LedgerBundle }) => {
  const ledger = ledgers.get(PORTFOLIO);
  if (ledger === undefined) throw new Error('there is no portfolio');
  return ledger;
};

const open = positionOf([orderOf({ processed_ms: START_MS, leverage: 0.2 })]);
const closed = positionOf(
  [
    orderOf({ processed_ms: START_MS, leverage: 0.2 }),
    orderOf({ processed_ms: START_MS + 3_600_000, order_type: 'FLAT', leverage: -0.2, price: 101 }),
  ],
  { position_uuid: 'closed' },
);

void t.test('a ledger built in one go equals one built in steps', (t) => {
  // Prices change with the minute: the last minute of a span is walked in seconds, which would show otherwise.
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 5 }), (steps) => {
      const fees = new FeeCache();
      let ledgers: LedgerBundle | undefined;
      let nowMs = START_MS;
      for (const minutes of steps) {
        nowMs += minutes * 60_000;
        ({ ledgers } = update({ ledgers, positions: [open], nowMs, fees }));
      }
      const inSteps = portfolioOf({ ledgers: ledgers ?? new Map() });
      const whole = portfolioOf(update({ positions: [open], nowMs }));
      return whole.cps.every((cell, index) => {
        const other = inSteps.cps[index];
        return (
          other?.last_update_ms === cell.last_update_ms &&
          other.open_ms === cell.open_ms &&
          Math.abs(other.prev_portfolio_ret - cell.prev_portfolio_ret) < 1e-12 &&
          Math.abs(other.gain + other.loss - cell.gain - cell.loss) < 1e-12 &&
          Math.abs(other.mdd - cell.mdd) < 1e-12
        );
      });
    }),
    { numRuns: 20 },
  );
  t.end();
});

void t.test('what is given stays as it is, and what was written is not written again', (t) => {
  const first = update({ positions: [open], nowMs: START_MS + DAY_MS });
  const before = JSON.stringify(perfLedgersFile(new Map([['hk', first.ledgers]])));
  const second = update({ ledgers: first.ledgers, positions: [open], nowMs: START_MS + 2 * DAY_MS });
  t.equal(JSON.stringify(perfLedgersFile(new Map([['hk', first.ledgers]]))), before);
  const [cell] = portfolioOf(first).cps;
  t.equal(portfolioOf(second).cps[0], cell, 'full cells are shared');
  t.end();
});

void t.test('fees only ever lower a return', (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 0.5, noNaN: true }), fc.boolean(), (leverage, isShort) => {
      const sign = isShort ? -1 : 1;
      const position = positionOf([
        orderOf({
          processed_ms: START_MS,
          leverage: sign * leverage,
          order_type: isShort ? 'SHORT' : 'LONG',
        }),
      ]);
      const flat = { isOpen: () => true, close: () => 100 };
      const { cps } = portfolioOf(update({ positions: [position], market: flat }));
      return cps.every((cell, index) => {
        const before = cps[index - 1]?.prev_portfolio_ret ?? 1;
        return (
          cell.prev_portfolio_ret <= before &&
          cell.prev_portfolio_carry_fee <= 1 &&
          cell.carry_fee_loss <= 0 &&
          cell.gain === 0
        );
      });
    }),
    { numRuns: 20 },
  );
  t.end();
});

void t.test('cells end at 0 and 12 h UTC, and no more than the window is kept', (t) => {
  const old = positionOf([
    orderOf({ processed_ms: NOW_MS - 100 * DAY_MS }),
    orderOf({ processed_ms: NOW_MS - 99 * DAY_MS, order_type: 'FLAT', leverage: -0.1 }),
  ]);
  const { cps } = portfolioOf(update({ positions: [old, closed] }));
  t.ok(cps.slice(0, -1).every((cell) => cell.last_update_ms % terms.cellMs === 0));
  t.ok(cps.reduce((sum, { accum_ms: ms }) => sum + ms, 0) <= terms.windowMs);
  t.ok(cps.length >= 179);
  t.end();
});

void t.test(
  'a portfolio that loses everything is liquidated, and its ledger ends before that moment',
  (t) => {
    const short = positionOf([orderOf({ processed_ms: START_MS, leverage: -5, order_type: 'SHORT' })]);
    const market = {
      isOpen: () => true,
      close: (_: string, ms: number) => 100 + (ms - START_MS) / 1_000_000,
    };
    const { liquidation, ledgers } = update({ positions: [short], market });
    t.match(liquidation, {
      hotkey: 'hk',
      dd: 0,
      reason: 'LIQUIDATED',
      return_info: { returns: { BTCUSD: 0 } },
    });
    t.ok((liquidation?.price_info?.['BTCUSD'] ?? 0) >= 120);
    const { cps } = portfolioOf({ ledgers });
    t.ok((cps.at(-1)?.last_update_ms ?? Infinity) < (liquidation?.elimination_initiated_time_ms ?? 0));
    t.ok(cps.every((cell) => cell.prev_portfolio_ret > 0));
    t.end();
  },
);

void t.test(
  'an order that lost everything liquidates at its close, be the span walked, old or known',
  (t) => {
    const lost = positionOf([
      orderOf({ processed_ms: START_MS, leverage: -5, order_type: 'SHORT' }),
      orderOf({ processed_ms: START_MS + 3_600_000, order_type: 'FLAT', leverage: 5, price: 130 }),
    ]);
    t.equal(lost.return_at_close, 0);
    const at = { elimination_initiated_time_ms: START_MS + 3_600_000, reason: 'LIQUIDATED' };
    t.match(update({ positions: [lost], market: { isOpen: () => false, close: () => 1 } }).liquidation, at);
    const later = update({ positions: [lost], wallClockMs: NOW_MS + 400 * DAY_MS });
    t.match(later.liquidation, { reason: 'LIQUIDATED' });
    const known = update({ positions: [open], nowMs: START_MS + 2 * 3_600_000 });
    const next = positionOf([orderOf({ processed_ms: START_MS + 3 * 3_600_000 })], {
      position_uuid: 'next',
      trade_pair: ['ETHUSD', 'ETH/USD', 0.003, 0.01, 0.5],
    });
    t.match(update({ ledgers: known.ledgers, positions: [lost, next] }).liquidation, at);
    t.end();
  },
);

void t.test('while a market is closed returns stay, and nothing counts as open', (t) => {
  const { cps } = portfolioOf(update({ positions: [open], market: { ...MARKET, isOpen: () => false } }));
  t.ok(cps.every(({ n_updates: updates, open_ms: openMs }) => updates === 0 && openMs === 0));
  t.end();
});

void t.test(
  'a late order cuts the cells that it lies in, and another first order asks for a rebuild',
  (t) => {
    const { ledgers } = update({ positions: [open] });
    const orderMs = START_MS + DAY_MS;
    const cut = portfolioOf({ ledgers: cutLedgers(ledgers, orderMs, terms) });
    t.ok(cut.cps.length > 0 && cut.cps.every((cell) => cell.last_update_ms < orderMs));
    t.notOk(needsRebuild(ledgers, START_MS));
    t.ok(needsRebuild(ledgers, START_MS - 1));
    t.notOk(needsRebuild(new Map(), START_MS));
    const again = update({ ledgers: cutLedgers(ledgers, START_MS, terms), positions: [open] });
    t.strictSame(portfolioOf(again).cps, portfolioOf({ ledgers }).cps, 'from nothing it is the same again');
    t.end();
  },
);

void t.test('files of both forms are read, with the defaults of missing members', (t) => {
  const cell = { last_update_ms: 5, gain: 0.1, later: 'stays' };
  const ledger = { initialization_time_ms: 1, cps: [cell] };
  const forms = [{ hk: ledger }, { hk: { portfolio: ledger } }].map((file) =>
    readPerfLedgers(file).get('hk'),
  );
  for (const read of forms) {
    const [got] = read?.get(PORTFOLIO)?.cps ?? [];
    t.match(got, { gain: 0.1, loss: 0, mdd: 1, prev_portfolio_carry_fee: 1, later: 'stays' });
  }
  t.end();
});

void t.test('a miner without positions has an empty ledger', (t) => {
  const { ledgers, liquidation } = update({});
  t.equal(portfolioOf({ ledgers }).cps.length, 0);
  t.equal(liquidation, undefined);
  t.end();
});
