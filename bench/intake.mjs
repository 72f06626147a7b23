// How many signals a second the rules' intake takes on one core: every check, the position replayed from its orders, and
// the text of its file. Nothing is written and nothing verified: this is the share of the rules alone.
import { parseJson } from '@ptn-api/positions';
import { GENERATION_2025_05, NEW_MINER, rememberUuid, takeSignal } from '@ptn-api/rules';
import { row } from './lib/report.mjs';

const MINERS = 256;
const RUN_MS = 5000;
const PAIRS = ['BTCUSD', 'ETHUSD', 'SOLUSD', 'EURUSD', 'USDJPY', 'GBPUSD', 'AUDUSD', 'USDCAD'];
/** Wednesday 2025-05-14 14:00 UTC, when crypto and forex are open. */
const START_MS = Date.UTC(2025, 4, 14, 14);
/** From one signal of a miner to its next: below the limit of requests, above the cooldown. */
const STEP_MS = 11_000;
/** The clock starts anew after this, so that no holiday or weekend refuses a signal. */
const SPAN_MS = 48 * 3_600_000;

function price(nowMs, index) {
  const value = 1.1 + 0.001 * Math.sin(index);
  return {
    ...{
      source: 'Polygon_ws',
      timespan_ms: 0,
      open: value,
      close: value,
      vwap: value,
      high: value,
      low: value,
    },
    ...{ start_ms: nowMs - 200, websocket: true, lag_ms: 0, bid: value, ask: value * 1.0001 },
  };
}

function signal(pair, type, leverage) {
  return parseJson(
    `{"trade_pair": {"trade_pair_id": "${pair}"}, "order_type": "${type}", "leverage": ${leverage}}`,
  );
}

/** Signals of a miner as they come: some orders up and down, then a FLAT. */
function signals(ordersBeforeFlat) {
  return PAIRS.map((pair) =>
    Array.from({ length: ordersBeforeFlat + 1 }, (_, index) => {
      if (index === ordersBeforeFlat) return signal(pair, 'FLAT', 0);
      return index % 2 === 0 ? signal(pair, 'LONG', 0.12) : signal(pair, 'SHORT', -0.012);
    }),
  );
}

function run(ordersBeforeFlat) {
  const bySignal = signals(ordersBeforeFlat);
  const uuids = new Set();
  const hotkeys = Array.from({ length: MINERS }, (_, index) => `5Miner${index}`);
  const states = new Map(hotkeys.map((hotkey) => [hotkey, NEW_MINER]));
  const validator = {
    ...{ hotkey: '5Validator', generation: GENERATION_2025_05, isStopping: false, haltedPairs: new Set() },
    ...{ registeredHotkeys: new Set(hotkeys), eliminations: new Map(), processedUuids: uuids },
  };
  let timestamp = { lastOrderMs: 0 };
  let [taken, refused, index, bytes] = [0, 0, 0, 0];
  const refusals = new Map();
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  while (performance.now() - startedMs < RUN_MS) {
    for (let batch = 0; batch < MINERS; batch++, index++) {
      const turn = Math.floor(index / MINERS);
      const hotkey = hotkeys[batch];
      const nowMs = START_MS + ((turn * STEP_MS) % SPAN_MS);
      // One pair until its FLAT, then the next.
      const pairIndex = Math.floor(turn / (ordersBeforeFlat + 1)) % PAIRS.length;
      const result = takeSignal(
        { ...validator, timestamp },
        states.get(hotkey),
        { hotkey, signal: bySignal[pairIndex][turn % (ordersBeforeFlat + 1)], uuid: `order-${index}` },
        {
          nowMs,
          pricesOf: () => ({ websocket: [price(nowMs, index)], rest: [] }),
          slippageFeaturesOf: () => ({
            ...{ annualizedVolatility: 0.08, averageDailyVolume: 100_000, baseToUsd: 1.1 },
          }),
          newUuid: () => `new-${index}`,
        },
      );
      states.set(hotkey, result.miner);
      if (!result.ok) {
        refused += 1;
        const error = result.answer.error_message.replace(/5Miner\d+/g, 'X').slice(0, 120);
        refusals.set(error, (refusals.get(error) ?? 0) + 1);
        continue;
      }
      taken += 1;
      timestamp = result.timestamp;
      bytes += result.files.write.reduce((sum, { text }) => sum + text.length, 0);
      if (result.accepted !== undefined) {
        rememberUuid(uuids, result.accepted.order.order_uuid, GENERATION_2025_05);
      }
    }
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  row(
    `positions of up to ${ordersBeforeFlat} orders`,
    '1,000 orders/s',
    `${Math.round(taken / seconds)} orders/s, ${Math.round((user + system) / (taken + refused))} µs of CPU each, ` +
      `files of ${Math.round(bytes / taken / 1000)} KB, ${refused} refused`,
  );
  for (const [error, count] of refusals)
    if (count > taken / 100) process.stdout.write(`  ${count} × ${error}\n`);
}

for (const orders of [1, 5, 20, 100]) run(orders);
