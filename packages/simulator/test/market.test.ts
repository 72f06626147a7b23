import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { GENERATIONS } from '../dist/generation.js';
import { generateHistory } from '../dist/history.js';
import { createMarket, MARKET_PAIRS, pairsOf } from '../dist/market/market.js';
import { createRandomWalk } from '../dist/market/random-walk.js';
import { isMarketOpen, timeAtTradingMs, tradingMsAt } from '../dist/market/trading-hours.js';
import { hotkeyOf } from '../dist/records/hotkey.js';
import { positionsOf } from '../dist/records/miners.js';
import { SMALL } from './history-fixture.ts';

const CLASSES = ['crypto', 'forex', 'equities'] as const;
const timeMs = fc.integer({ min: Date.UTC(2023, 0, 1), max: Date.UTC(2030, 0, 1) });

void t.test(
  "a market's clock and the time are inverse while it is open, and the clock stands still while it is closed",
  (t) => {
    fc.assert(
      fc.property(fc.constantFrom(...CLASSES), timeMs, (assetClass, time) => {
        const tradingMs = tradingMsAt(assetClass, time);
        if (isMarketOpen(assetClass, time)) return timeAtTradingMs(assetClass, tradingMs) === time;
        return tradingMsAt(assetClass, time + 1) - tradingMs === 0;
      }),
    );
    t.end();
  },
);

void t.test('markets open when they do', (t) => {
  const friday = Date.UTC(2025, 10, 14);
  const hour = 3_600_000;
  t.strictSame(
    [13, 15, 20, 22, 36].map((hours) => CLASSES.filter((one) => isMarketOpen(one, friday + hours * hour))),
    [['crypto', 'forex'], [...CLASSES], [...CLASSES], ['crypto'], ['crypto']],
  );
  t.end();
});

void t.test('a walk depends on its name and the time alone, and is continuous', (t) => {
  const one = createRandomWalk('one');
  fc.assert(
    fc.property(timeMs, (time) => {
      const value = one(time);
      // 100 ms are a tenth of the steepest line piece, which spans some 32 * 6.
      return value === createRandomWalk('one')(time) && Math.abs(one(time + 100) - value) < 60;
    }),
  );
  t.not(one(1e12), createRandomWalk('two')(1e12));
  t.end();
});

void t.test('a walk moves as much as its length says', (t) => {
  for (const hours of [0.1, 1, 24]) {
    const stepMs = hours * 3_600_000;
    let squares = 0;
    const samples = 4000;
    const walk = createRandomWalk('spread');
    for (let i = 0; i < samples; i++) {
      const time = 1.7e12 + i * 8e7;
      squares += (walk(time + stepMs) - walk(time)) ** 2;
    }
    const ratio = squares / samples / stepMs;
    t.ok(ratio > 0.85 && ratio < 1.15, `variance over ${hours} h is ${ratio} of a free walk's`);
  }
  t.end();
});

void t.test('all pairs have plausible quotes that agree with each other', (t) => {
  const market = createMarket(1);
  const quote = (id: string) => {
    const pair = MARKET_PAIRS.find((one) => one.id === id);
    if (pair === undefined) throw new Error(`no pair ${id}`);
    return market.quote(pair, Date.UTC(2025, 10, 14, 16));
  };
  t.equal(MARKET_PAIRS.length, 45);
  for (const { id } of MARKET_PAIRS) {
    const { price, bid, ask } = quote(id);
    if (!(bid > 0 && bid <= price && price <= ask && ask < bid * 1.001))
      t.fail(`${id}: ${bid} ${price} ${ask}`);
  }
  t.ok(Math.abs(quote('EURJPY').price / (quote('EURUSD').price * quote('USDJPY').price) - 1) < 1e-4);
  t.end();
});

void t.test('hotkeys are SS58 addresses', (t) => {
  // The well-known address of the public key of all zeros.
  t.equal(hotkeyOf(new Uint8Array(32)), '5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM');
  t.equal(hotkeyOf(createHash('sha256').update('x').digest()).length, 48);
  t.end();
});

void t.test('a generation trades the pairs that its clients know, and no others', (t) => {
  // What the validators of May 2025 take, without indices.
  const known =
    'BTCUSD ETHUSD SOLUSD XRPUSD DOGEUSD AUDCAD AUDCHF AUDUSD AUDJPY AUDNZD CADCHF CADJPY CHFJPY EURAUD EURCAD ' +
    'EURUSD EURCHF EURGBP EURJPY EURNZD NZDCAD NZDCHF NZDJPY NZDUSD GBPAUD GBPCAD GBPCHF GBPJPY GBPNZD GBPUSD ' +
    'USDCAD USDCHF USDJPY USDMXN XAUUSD XAGUSD NVDA AAPL TSLA AMZN MSFT GOOG META';
  t.same(
    pairsOf('2025').map(({ id }) => id),
    known.split(' '),
  );
  t.same(
    pairsOf('account-size')
      .map(({ id }) => id)
      .toSorted(),
    [...known.split(' '), 'ADAUSD', 'TAOUSD'].toSorted(),
  );
  for (const generation of GENERATIONS) {
    const { miners } = generateHistory({ ...SMALL, generation });
    const traded = new Set(
      miners.flatMap((miner) => positionsOf(miner).map((position) => position.trade_pair[0])),
    );
    const pairs = new Set(pairsOf(generation).map(({ id }) => id));
    t.same(
      [...traded].filter((id) => !pairs.has(id)),
      [],
      generation,
    );
    t.ok(traded.size > 30);
  }
  t.end();
});
