import { PAIRS, correctPrices, isMarketOpen } from '@ptn-api/rules';
import type { CorrectedPosition, IntakeGeneration } from '@ptn-api/rules';
import { closeByElimination } from '@ptn-api/scoring';
import type { Elimination } from '@ptn-api/scoring';
import type { Position } from '@ptn-api/protocol';
import type { Prices } from './prices.ts';

/** An automatic order: it has no price that could be corrected. */
const BY_ELIMINATION = 1;

export interface UpdateContext {
  readonly generation: IntakeGeneration;
  readonly prices: Prices;
  /** Of the position's miner, if it is out. */
  readonly elimination: Elimination | undefined;
  /** Unix ms. */
  readonly nowMs: number;
}

/**
 * A position as validators have it after their next look: of a miner that is out, closed; else with the prices of its
 * last minutes' orders corrected and, while it is open, with the returns of now. While the market of its pair is closed
 * it stays as it is.
 */
export function upToDate(position: Position, context: UpdateContext): CorrectedPosition {
  const { generation, prices, elimination, nowMs } = context;
  const unchanged = { position, isChanged: false, correctedOrders: 0 };
  const isOpen = !position.is_closed_position;
  if (elimination !== undefined) {
    if (!isOpen) return unchanged;
    const closed = closeByElimination(position, elimination.elimination_initiated_time_ms);
    return { position: closed, isChanged: true, correctedOrders: 0 };
  }
  const [pairId] = position.trade_pair;
  const pair = PAIRS.get(pairId);
  const last = position.orders.at(-1);
  // An order may have come in since the clock was read.
  if (last === undefined || last.processed_ms > nowMs || last.src === BY_ELIMINATION) return unchanged;
  if (pair === undefined || !isMarketOpen(pair, nowMs)) return unchanged;
  const now = prices.at(pairId, nowMs);
  return correctPrices(position, generation, {
    nowMs,
    laterPricesOf: ({ processed_ms: timeMs }) => {
      const { websocket, rest } = prices.at(pairId, timeMs, nowMs);
      return { sources: [...websocket, ...rest], quote: prices.quoteAt(pairId, timeMs) };
    },
    currentSources: isOpen ? [...now.websocket, ...now.rest] : [],
    slippageFeaturesOf: (id, timeMs) => prices.slippageFeatures(id, timeMs),
  });
}
