// What scoring costs: a whole round for 200 and for 2,000 miners with ledgers of 90 days, half of them in the challenge
// period, and an update of the ledgers of 256 miners. Everything is in memory; nothing is read or written.
import { rebuildPosition } from '@ptn-api/positions';
import {
  CHECKPOINT_DEFAULTS,
  FeeCache,
  minerRecord,
  minerStatistics,
  PORTFOLIO,
  scoreRound,
  SCORING_GENERATIONS,
  updateLedgers,
} from '@ptn-api/scoring';
import { row } from './lib/report.mjs';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2025, 4, 1);
const ROUNDS = 5;
const generation = SCORING_GENERATIONS['2025-05'];

function pseudoRandom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = pseudoRandom(7);

function order(timeMs, changes = {}) {
  return {
    ...{ order_type: 'LONG', leverage: 0.1, price: 100, bid: 0, ask: 0, slippage: 0 },
    ...{ processed_ms: timeMs, order_uuid: String(timeMs), price_sources: [], src: 0 },
    ...changes,
  };
}

function position(hotkey, index, openMs, closeMs) {
  const identity = {
    miner_hotkey: hotkey,
    position_uuid: `${hotkey}-${index}`,
    trade_pair: ['BTCUSD', 'BTC/USD', 0.003, 0.01, 0.5],
  };
  const orders = [order(openMs), order(openMs + 60_000, { leverage: 0.05, price: 99 })];
  if (closeMs !== undefined) orders.push(order(closeMs, { order_type: 'FLAT', leverage: -0.15, price: 101 }));
  return rebuildPosition(identity, orders);
}

function miner(index) {
  const hotkey = `hotkey-${index}`;
  const skill = (random() - 0.4) * 0.002;
  const cps = Array.from({ length: 180 }, (_, cell) => ({
    ...CHECKPOINT_DEFAULTS,
    last_update_ms: NOW_MS - (179 - cell) * (DAY_MS / 2),
    accum_ms: DAY_MS / 2,
    open_ms: DAY_MS / 2,
    gain: random() * 0.01 + skill,
    loss: -random() * 0.01,
    mdd: 0.95,
  }));
  const ledger = { initialization_time_ms: NOW_MS - 90 * DAY_MS, max_return: 1.1, cps };
  const positions = Array.from({ length: 20 }, (_, count) => {
    const openMs = NOW_MS - (90 - 4 * count) * DAY_MS;
    return position(hotkey, count, openMs, openMs + DAY_MS);
  });
  return minerRecord({ hotkey, ledgers: new Map([[PORTFOLIO, ledger]]), positions });
}

function best(run) {
  const times = Array.from({ length: ROUNDS }, () => {
    const startedMs = performance.now();
    run();
    return performance.now() - startedMs;
  });
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
}

for (const [count, goal] of [
  [200, 'within 500 ms'],
  [2000, '-'],
]) {
  const miners = Array.from({ length: count }, (_, index) => miner(index));
  const state = new Map(
    miners.map(({ hotkey }, index) => [
      hotkey,
      { bucket: index % 2 === 0 ? 'MAINCOMP' : 'CHALLENGE', startMs: NOW_MS - 80 * DAY_MS },
    ]),
  );
  const input = { nowMs: NOW_MS, generation, miners, state, eliminations: [] };
  const { weights } = scoreRound(input);
  const roundMs = best(() => scoreRound(input));
  row(`a round of ${count} miners with 90 days`, goal, `${roundMs.toFixed(0)} ms`);
  const statistics = { ...input, version: '6.0.0', weights, plagiarism: new Map(), withCheckpoints: true };
  const fileMs = best(() => minerStatistics(statistics));
  row(`minerstatistics of ${count} miners`, '-', `${fileMs.toFixed(0)} ms`);
}

const market = {
  isOpen: () => true,
  close: (_pair, timeMs) => 100 + Math.sin(Math.floor(timeMs / 60_000) / 80),
};

function update(miners, nowMs) {
  for (const each of miners) {
    const { hotkey, positions, fees } = each;
    const common = { hotkey, positions, fees, market, terms: generation.ledger };
    each.ledgers = updateLedgers({
      ...common,
      ledgers: each.ledgers,
      nowMs,
      wallClockMs: nowMs + 600_000,
    }).ledgers;
  }
}

const traders = Array.from({ length: 256 }, (_, index) => ({
  hotkey: `trader-${index}`,
  positions: [
    position(`trader-${index}`, 0, NOW_MS - 2 * DAY_MS, NOW_MS - DAY_MS),
    position(`trader-${index}`, 1, NOW_MS - DAY_MS),
  ],
  ledgers: undefined,
  fees: new FeeCache(),
}));
const startedMs = performance.now();
update(traders, NOW_MS);
row(
  'the ledgers of 256 miners, 2 days from nothing',
  '-',
  `${(performance.now() - startedMs).toFixed(0)} ms`,
);
let nowMs = NOW_MS;
for (const seconds of [5, 300]) {
  const updateMs = best(() => update(traders, (nowMs += seconds * 1000)));
  row(`the ledgers of 256 miners, ${seconds} s further`, '-', `${updateMs.toFixed(1)} ms`);
}
