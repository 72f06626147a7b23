import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryFolder } from '@ptn-api/testkit';
import t from 'tap';
import { readCandles } from '../dist/validator/read-candles.js';
import type { CandlePrices } from '../dist/validator/candle-prices.js';
import { RandomPrices } from '../dist/validator/random-prices.js';
import { SATURDAY_MS, WEDNESDAY_MS } from './validator-fixture.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const HEADER = 'trade_pair,start_ms,open,high,low,close';

void t.test('the same seed and question have the same answer', (t) => {
  const [one, two, other] = [new RandomPrices(1), new RandomPrices(1), new RandomPrices(2)];
  for (const pairId of ['BTCUSD', 'EURUSD', 'NVDA']) {
    for (const timeMs of [WEDNESDAY_MS, WEDNESDAY_MS + 7 * DAY_MS, WEDNESDAY_MS + 1]) {
      t.strictSame(one.at(pairId, timeMs), two.at(pairId, timeMs));
      t.equal(one.closeAt(pairId, timeMs), two.closeAt(pairId, timeMs));
    }
  }
  t.notSame(one.at('BTCUSD', WEDNESDAY_MS), other.at('BTCUSD', WEDNESDAY_MS));
  t.end();
});

void t.test('nothing is known before it happens, and later what is nearer', (t) => {
  const prices = new RandomPrices(7);
  let isCorrected = false;
  for (let timeMs = WEDNESDAY_MS; timeMs < WEDNESDAY_MS + MINUTE_MS; timeMs += 777) {
    const { websocket: now } = prices.at('ETHUSD', timeMs);
    const { websocket: later } = prices.at('ETHUSD', timeMs, timeMs + MINUTE_MS);
    t.equal(now.length, 2);
    t.ok(now.every(({ start_ms: startMs }) => startMs < timeMs && startMs > timeMs - 8000));
    for (const [index, source] of later.entries()) {
      t.ok(source.lag_ms <= (now[index]?.lag_ms ?? 0));
      isCorrected ||= source.start_ms !== now[index]?.start_ms;
    }
  }
  t.ok(isCorrected);
  t.end();
});

void t.test('a closed market has no prices', (t) => {
  const prices = new RandomPrices(1);
  t.strictSame(prices.at('EURUSD', SATURDAY_MS), { websocket: [], rest: [] });
  t.equal(prices.closeAt('EURUSD', SATURDAY_MS), undefined);
  t.equal(prices.quoteAt('EURUSD', SATURDAY_MS), undefined);
  t.equal(prices.at('BTCUSD', SATURDAY_MS).websocket.length, 2);
  for (const pairId of ['SPX', 'NOPAIR']) {
    t.strictSame(prices.at(pairId, WEDNESDAY_MS), { websocket: [], rest: [] });
    t.equal(prices.slippageFeatures(pairId, WEDNESDAY_MS), undefined);
  }
  t.end();
});

void t.test('forex has quotes, and what slippage depends on', (t) => {
  const prices = new RandomPrices(1);
  for (const pairId of ['EURUSD', 'USDJPY', 'CADCHF', 'GBPNZD']) {
    const [event] = prices.at(pairId, WEDNESDAY_MS).websocket;
    t.ok(event !== undefined && event.bid === event.open && event.ask > event.bid, pairId);
    const features = prices.slippageFeatures(pairId, WEDNESDAY_MS);
    t.ok(
      features !== undefined && features.annualizedVolatility > 0.02 && features.annualizedVolatility < 0.3,
    );
    t.ok((features?.baseToUsd ?? 0) > 0.1, `${pairId} ${features?.baseToUsd}`);
    t.equal(features, prices.slippageFeatures(pairId, WEDNESDAY_MS + 1), 'once a day');
    t.not(features, prices.slippageFeatures(pairId, WEDNESDAY_MS + DAY_MS));
  }
  t.equal(prices.at('BTCUSD', WEDNESDAY_MS).websocket[0]?.bid, 0, 'trades of crypto have none');
  t.equal(
    prices.closeAt('BTCUSD', WEDNESDAY_MS, 'minute'),
    prices.closeAt('BTCUSD', WEDNESDAY_MS + 59_000, 'second'),
  );
  t.end();
});

async function candles(rows: readonly string[], header = HEADER): Promise<CandlePrices> {
  const path = join(makeTemporaryFolder(t), 'prices.csv');
  writeFileSync(path, [header, ...rows, ''].join('\n'));
  return readCandles(path);
}

const row = (pair: string, startMs: number, close: number, volume = ''): string =>
  `${pair},${startMs},${close - 1},${close + 2},${close - 2},${close}${volume}`;

void t.test('candles are prices when they are over', async (t) => {
  const start = WEDNESDAY_MS;
  const prices = await candles([
    row('BTCUSD', start, 100),
    row('BTCUSD', start + MINUTE_MS, 110),
    row('BTCUSD', start + 5 * MINUTE_MS, 120),
    row('ETHUSD', start + 3 * MINUTE_MS, 50),
  ]);
  t.strictSame(prices.span, { fromMs: start + MINUTE_MS, toMs: start + 6 * MINUTE_MS });
  const at = (afterMs: number, knownAfterMs = afterMs) =>
    prices.at('BTCUSD', start + afterMs, start + knownAfterMs).rest[0];
  t.equal(at(59_999), undefined, 'not over yet');
  t.match(at(60_000), {
    ...{ source: 'Replay_rest', timespan_ms: MINUTE_MS, open: 99, high: 102, low: 98, close: 100, vwap: 100 },
    ...{ start_ms: start, websocket: false, lag_ms: 1, bid: 0, ask: 0 },
  });
  t.equal(at(70_000)?.close, 100);
  t.equal(at(95_000, 119_999)?.close, 100);
  t.equal(at(95_000, 120_000)?.close, 110, 'nearer, and known when it is over');
  t.equal(at(239_999)?.close, 110, 'for a while it is the price of a gap');
  t.equal(at(240_000), undefined);
  t.equal(prices.closeAt('BTCUSD', start), 100);
  t.equal(prices.closeAt('BTCUSD', start + 1000), undefined);
  t.equal(prices.closeAt('BTCUSD', start + 2 * MINUTE_MS), undefined);
  t.equal(prices.closeAt('BTCUSD', start + 59_000, 'second'), 100, 'the second in which it ends');
  t.strictSame(prices.at('SOLUSD', start + MINUTE_MS), { websocket: [], rest: [] });
  t.equal(prices.closeAt('SOLUSD', start), undefined);
  const quote = prices.quoteAt('BTCUSD', start + 10_000);
  t.ok(quote !== undefined && quote.bid < 100 && quote.ask > 100);
  t.equal(prices.quoteAt('SOLUSD', start), undefined);
});

void t.test('candles of a closed market are none', async (t) => {
  const prices = await candles([row('EURUSD', SATURDAY_MS, 10), row('EURUSD', SATURDAY_MS + MINUTE_MS, 10)]);
  t.strictSame(prices.at('EURUSD', SATURDAY_MS + MINUTE_MS), { websocket: [], rest: [] });
});

void t.test('slippage of a replay comes from its days, or is typical', async (t) => {
  const few = await candles([row('EURJPY', WEDNESDAY_MS, 160)]);
  t.strictSame(few.slippageFeatures('EURJPY', WEDNESDAY_MS), {
    annualizedVolatility: 0.08,
    averageDailyVolume: 100_000,
    baseToUsd: 1.13,
  });
  t.equal(few.slippageFeatures('USDJPY', WEDNESDAY_MS), undefined);
  const days = Array.from({ length: 40 }, (_, day) => WEDNESDAY_MS - (40 - day) * DAY_MS);
  const many = await candles(
    days.flatMap((startMs, day) => [
      `EURJPY,${startMs},160,170,150,${160 + (day % 2)},30`,
      `EURJPY,${startMs + MINUTE_MS},160,170,150,${160 + (day % 2)},20.5`,
      `EURUSD,${startMs},1.2,1.2,1.2,1.2,1`,
    ]),
    `${HEADER},volume`,
  );
  const features = many.slippageFeatures('EURJPY', WEDNESDAY_MS);
  t.equal(features?.averageDailyVolume, 50.5);
  t.equal(features?.baseToUsd, 1.2);
  t.ok(
    Math.abs((features?.annualizedVolatility ?? 0) - 0.1005) < 0.001,
    String(features?.annualizedVolatility),
  );
});

void t.test('what is wrong in a file of prices is named with its line', async (t) => {
  const good = row('BTCUSD', WEDNESDAY_MS, 100);
  const [pair, start] = ['BTCUSD', String(WEDNESDAY_MS)];
  const cases: [rows: readonly string[], problem: RegExp, header?: string][] = [
    [[], /prices.csv holds no candles$/],
    [
      [good],
      /line 1: the header must be trade_pair,start_ms,open,high,low,close or the same with ,volume$/,
      'a,b',
    ],
    [[good], /line 1: the header must be/, `${HEADER},volume,more`],
    [[good, `${pair},${start},1`], /line 3: it has 3 fields, the header has 6$/],
    [[good], /line 2: it has 6 fields, the header has 7$/, `${HEADER},volume`],
    [
      ['', row('BTCEUR', WEDNESDAY_MS, 100)],
      /line 3: trade_pair "BTCEUR" is none, they are written like BTCUSD$/,
    ],
    [[row('btcusd', WEDNESDAY_MS, 100)], /line 2: trade_pair "btcusd" is none/],
    [[`${pair},2025-05-14,1,1,1,1`], /line 2: start_ms is "2025-05-14", not Unix ms$/],
    [[`${pair},1747231200,1,1,1,1`], /line 2: start_ms is 1747231200, which looks like seconds$/],
    [[`${pair},${start},1,1,1,`], /line 2: close is "", which is no number$/],
    [[`${pair},${start},NaN,1,1,1`], /line 2: open is "NaN", which is no number$/],
    [[`${pair},${start},1,Infinity,1,1`], /line 2: high is "Infinity", which is no number$/],
    [[`${pair},${start},1,1,-1,1`], /line 2: low is "-1", which is no number$/],
    [[`${pair},${start},1,1,0,1`], /line 2: low must be more than 0$/],
    [[`${pair},${start},2,1,1,1`], /line 2: high is below another price$/],
    [[`${pair},${start},2,3,2.5,3`], /line 2: low is above another price$/],
    [[`${pair},${start},"1",1,1,1`], /line 2: open is "\\"1\\"", which is no number$/],
    [[good, good], /line 3: start_ms of BTCUSD must be later than in its line before$/],
    [[`${pair},${start},1,1,1,1,x`], /line 2: volume is "x", which is no number$/, `${HEADER},volume`],
  ];
  for (const [rows, problem, header] of cases) {
    await t.rejects(candles(rows, header), { name: 'PricesFileError', message: problem }, String(problem));
  }
  await t.rejects(readCandles('/no/such/file.csv'), {
    name: 'PricesFileError',
    message: /^\/no\/such\/file.csv cannot be read \(ENOENT/,
  });
  await t.rejects(readCandles(makeTemporaryFolder(t)), { name: 'PricesFileError', message: /EISDIR/ });
});

void t.test('files of other systems are read', async (t) => {
  const path = join(makeTemporaryFolder(t), 'prices.csv');
  writeFileSync(
    path,
    `\ufefftrade_pair, start_ms, open, high, low, close\r\n\r\n${row('BTCUSD', WEDNESDAY_MS, 100)}\r\n`,
  );
  const prices = await readCandles(path);
  t.strictSame(prices.pairIds, ['BTCUSD']);
  t.equal(prices.closeAt('BTCUSD', WEDNESDAY_MS), 100);
});
