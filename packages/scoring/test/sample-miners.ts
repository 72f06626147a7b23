import { rebuildPosition } from '@ptn-api/positions';
import type { Order, Position } from '@ptn-api/protocol';
import { CHECKPOINT_DEFAULTS, minerRecord, PORTFOLIO } from '@ptn-api/scoring';
import type { Checkpoint, MarketData, MinerRecord, PerfLedger } from '@ptn-api/scoring';

export const DAY_MS = 86_400_000;
/** Thursday 2025-05-01. */
export const NOW_MS = Date.UTC(2025, 4, 1);

/** Numbers that are the same in every run: 0 to 1. */
export function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A ledger of whole days that ends at `NOW_MS`, a log return for each. */
export function ledgerOf(returns: readonly number[], mdd = 0.97): PerfLedger {
  const cps = returns.flatMap((value, day): Checkpoint[] => {
    const startMs = NOW_MS - (returns.length - day) * DAY_MS;
    return [0.5, 1].map((part) => ({
      ...CHECKPOINT_DEFAULTS,
      last_update_ms: startMs + part * DAY_MS,
      accum_ms: DAY_MS / 2,
      open_ms: DAY_MS / 2,
      gain: Math.max(value, 0) / 2,
      loss: Math.min(value, 0) / 2,
      mdd,
    }));
  });
  return {
    initialization_time_ms: NOW_MS - returns.length * DAY_MS,
    max_return: 1,
    target_cp_duration_ms: DAY_MS / 2,
    target_ledger_window_ms: 90 * DAY_MS,
    cps,
  };
}

export function orderOf(changes: Partial<Order> = {}): Order {
  return {
    order_type: 'LONG',
    leverage: 0.1,
    price: 100,
    bid: 0,
    ask: 0,
    slippage: 0,
    processed_ms: NOW_MS - 10 * DAY_MS,
    order_uuid: 'order',
    price_sources: [],
    src: 0,
    ...changes,
  };
}

export function positionOf(orders: readonly Order[], changes: Partial<Position> = {}): Position {
  const identity = {
    miner_hotkey: 'hk',
    position_uuid: 'position',
    trade_pair: ['BTCUSD', 'BTC/USD', 0.003, 0.01, 0.5],
    ...changes,
  } as const;
  return rebuildPosition(identity, orders);
}

/** A position that was closed after an hour. */
export function closedPosition(openMs: number): Position {
  return positionOf([
    orderOf({ processed_ms: openMs }),
    orderOf({ order_type: 'FLAT', leverage: -0.1, processed_ms: openMs + 3_600_000 }),
  ]);
}

export function minerOf(hotkey: string, returns: readonly number[], mdd?: number): MinerRecord {
  return minerRecord({
    hotkey,
    ledgers: new Map([[PORTFOLIO, ledgerOf(returns, mdd)]]),
    positions: [closedPosition(NOW_MS - returns.length * DAY_MS)],
  });
}

/** Miners with random returns over the given days, some of them worse than others. */
export function randomMiners(count: number, seed: number, days = 90): MinerRecord[] {
  const random = pseudoRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const skill = (random() - 0.4) * 0.003;
    const returns = Array.from({ length: days }, () => skill + (random() - 0.5) * 0.02);
    return minerOf(`miner-${seed}-${index}`, returns, 0.905 + random() * 0.095);
  });
}

/** Prices that swing by a few percent from minute to minute, for every pair, at all times. */
export const MARKET: MarketData = {
  isOpen: () => true,
  close: (pair, timeMs) => 100 * (1 + 0.02 * Math.sin(Math.floor(timeMs / 60_000) / 80 + pair.length)),
};
