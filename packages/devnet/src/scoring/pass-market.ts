import { isMarketOpen, PAIRS } from '@ptn-api/rules';
import type { MarketData } from '@ptn-api/scoring';
import type { ClosePrices } from './scored-validator.ts';

const MINUTE_MS = 60_000;
/** A build from nothing asks for every minute of three months; what is kept of that is bounded. */
const MAX_KEPT = 200_000;

/** What was asked before is answered from memory: miners trade the same pairs at the same times. */
function remembered<T>(answer: (pairId: string, timeMs: number) => T): (pairId: string, timeMs: number) => T {
  const byPair = new Map<string, Map<number, T>>();
  return (pairId, timeMs) => {
    const answers = byPair.get(pairId) ?? new Map<number, T>();
    byPair.set(pairId, answers);
    if (answers.has(timeMs)) return answers.get(timeMs) as T;
    if (answers.size >= MAX_KEPT) answers.clear();
    const value = answer(pairId, timeMs);
    answers.set(timeMs, value);
    return value;
  };
}

/** The markets for one pass over all miners. */
export function passMarket(prices: ClosePrices): MarketData {
  const isOpenInMinute = remembered((pairId, minuteMs) => {
    const pair = PAIRS.get(pairId);
    return pair !== undefined && isMarketOpen(pair, minuteMs);
  });
  const closes = {
    second: remembered((pairId, timeMs) => prices.closeAt(pairId, timeMs, 'second')),
    minute: remembered((pairId, timeMs) => prices.closeAt(pairId, timeMs, 'minute')),
  };
  return {
    // Markets open and close on whole minutes.
    isOpen: (pairId, timeMs) => isOpenInMinute(pairId, timeMs - (timeMs % MINUTE_MS)),
    close: (pairId, timeMs, resolution) => closes[resolution](pairId, timeMs),
  };
}
