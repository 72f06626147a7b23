import { parseJson, writeJson } from '@ptn-api/positions';
import type { JsonObject } from '@ptn-api/positions';
import { GENERATION_2025_05 } from '@ptn-api/rules';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { freePort, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { Trader } from '../dist/traders/trader.js';
import { TradingLoop } from '../dist/traders/trading-loop.js';
import { RandomPrices } from '../dist/validator/random-prices.js';
import { SetPrices, VALIDATOR, WEDNESDAY_MS, makeValidator } from './validator-fixture.ts';

void t.test('simulated miners trade what has prices', (t) => {
  const prices = new SetPrices();
  for (let index = 0; index < 10; index += 1) {
    const trader = new Trader({ seed: 1, index, generation: GENERATION_2025_05, prices });
    const texts: string[] = [];
    for (let hour = 0; hour < 48; hour += 1) {
      const signal = trader.decide(WEDNESDAY_MS + hour * 3_600_000, new Map());
      if (signal !== undefined) texts.push(writeJson(signal));
    }
    t.ok(texts.length > 0);
    t.ok(texts.every((text) => /"(?:BTCUSD|ETHUSD|EURUSD)"/.test(text)));
  }
  const nothing = Object.assign(new SetPrices(), { pairIds: [] });
  const idle = new Trader({ seed: 1, index: 0, generation: GENERATION_2025_05, prices: nothing });
  for (const day of [0, 1, 9]) t.equal(idle.decide(WEDNESDAY_MS + day * 86_400_000, new Map()), undefined);
  t.end();
});

void t.test('simulated miners trade, each in its own way, the same for the same seed', (t) => {
  const prices = new RandomPrices(1);
  const trade = (seed: number): { texts: string[]; refusals: Set<string>; accepted: number } => {
    const validator = makeValidator(t);
    validator.prices.at = prices.at.bind(prices);
    const traders = Array.from(
      { length: 6 },
      (_, index) => new Trader({ seed, index, generation: GENERATION_2025_05, prices }),
    );
    validator.validator.setRegistered(traders.map(({ hotkey }) => hotkey));
    const texts: string[] = [];
    const refusals = new Set<string>();
    let accepted = 0;
    for (let nowMs = WEDNESDAY_MS; nowMs < WEDNESDAY_MS + 86_400_000; nowMs += 60_000) {
      for (const trader of traders) {
        const signal = trader.decide(nowMs, validator.validator.openOf(trader.hotkey));
        if (signal === undefined) continue;
        const text = writeJson(signal);
        texts.push(`${trader.hotkey} ${nowMs} ${text}`);
        const request = {
          hotkey: trader.hotkey,
          signal: parseJson(text) as JsonObject,
          uuid: `order-${texts.length}`,
        };
        const answer = validator.validator.submit(request, nowMs);
        if (answer.successfully_processed) accepted += 1;
        else refusals.add(answer.error_message.replaceAll(trader.hotkey, 'X'));
      }
    }
    return { texts, refusals, accepted };
  };
  const [one, two, other] = [trade(3), trade(3), trade(4)];
  t.strictSame(one.texts, two.texts);
  t.notSame(one.texts, other.texts);
  t.ok(one.texts.length > 20, `${one.texts.length} signals`);
  t.ok(
    one.accepted > one.texts.length * 0.9,
    `${one.accepted} accepted, not ${[...one.refusals].join('\n')}`,
  );
  t.ok(one.texts.some((text) => text.includes('"FLAT"')));
  t.end();
});

void t.test('what is not answered is counted, and the trader goes on', async (t) => {
  const prices = new SetPrices();
  const sockets: Socket[] = [];
  const listen = async (onSocket: (socket: Socket) => void): Promise<number> => {
    const server = createServer(onSocket);
    t.teardown(
      () =>
        new Promise<void>(
          (resolve) =>
            void server.close(() => {
              resolve();
            }),
        ),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const hangsUp = await listen((socket) => socket.destroy());
  const isSilent = await listen((socket) => void sockets.push(socket));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const port of [hangsUp, isSilent, await freePort()]) {
    const trader = new Trader({ seed: 1, index: 0, generation: GENERATION_2025_05, prices });
    const trading = new TradingLoop({
      ...{ traders: [trader], openOf: () => new Map(), nowNs: () => 1n, timeoutMs: 300 },
      axon: { ip: '127.0.0.1', port, hotkey: VALIDATOR.address },
    });
    let nowMs = WEDNESDAY_MS;
    const isCounted = (): boolean => {
      trading.tick((nowMs += 3_600_000));
      return trading.unanswered >= 2;
    };
    await waitFor(isCounted, { what: () => `2 orders are not answered, but ${trading.unanswered}` });
    await trading.stop();
    t.ok(trading.unanswered <= 3, 'one at a time');
  }
});
