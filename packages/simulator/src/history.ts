import { createMarket, pairsOf } from './market/market.ts';
import type { Market, MarketPair } from './market/market.ts';
import { createRandom } from './random.ts';
import { findLiquidation } from './records/liquidation.ts';
import { createMiner } from './records/miners.ts';
import type { Generation } from './generation.ts';
import type { Miner } from './records/miners.ts';
import { PastTrading } from './records/past-trading.ts';
import { share } from './records/share.ts';
import { eliminationFor } from './statistics/elimination.ts';

const HOUR_MS = 3_600_000;
export const MONTH_MS = 30 * 24 * HOUR_MS;
const ELIMINATED_SHARE = 0.05;

export interface HistoryOptions {
  /** The same seed, with the same other options, gives the same history. */
  readonly seed: number;
  readonly miners: number;
  /** Positions of all miners together. */
  readonly positions: number;
  /** Length, in months of 30 days. */
  readonly months: number;
  /** When the history ends, Unix ms. */
  readonly endMs: number;
  readonly generation: Generation;
}

/** Simulated miners, what they did, and the market in which they did it. */
export interface World {
  readonly market: Market;
  /** All pairs that can be traded, by id. */
  readonly pairs: ReadonlyMap<string, MarketPair>;
  readonly miners: readonly Miner[];
}

/** Whether and how a miner was taken out: `eliminated` at any time, `liquidated` when it had lost everything. */
type Fate = 'active' | 'eliminated' | 'eliminated-today' | 'liquidated';

/** One in twenty is taken out, and always one that lost everything and one on the last day, if there are four. */
function chooseFates(seed: number, count: number): Fate[] {
  const random = createRandom(`${seed}/fates`);
  const fates = new Array<Fate>(count).fill('active');
  const eliminated = count < 4 ? 0 : Math.max(2, Math.round(count * ELIMINATED_SHARE));
  const kinds: readonly Fate[] = ['liquidated', 'eliminated-today'];
  for (let done = 0; done < eliminated;) {
    const index = random.integer(count);
    if (fates[index] !== 'active') continue;
    fates[index] = kinds[done] ?? 'eliminated';
    done += 1;
  }
  return fates;
}

/** Makes up the history of a network of miners. Nothing is written. */
export function generateHistory(options: HistoryOptions): World {
  const { seed, generation, endMs: nowMs } = options;
  const market = createMarket(seed);
  const pairs = new Map(pairsOf(generation).map((pair) => [pair.id, pair]));
  const fromMs = nowMs - options.months * MONTH_MS;
  const random = createRandom(`${seed}/activity`);
  const counts = share(
    options.positions,
    Array.from({ length: options.miners }, () => random.between(0.3, 1)),
  );
  const fates = chooseFates(seed, options.miners);

  const miners = counts.map((count, index) => {
    const miner = createMiner({ seed, index, generation, fromMs, nowMs });
    const ownRandom = createRandom(`${seed}/history/${index}`);
    const past = new PastTrading(market, miner, ownRandom, nowMs);
    // Without a position there is no reason to take a miner out.
    const fate = count === 0 ? 'active' : (fates[index] ?? 'active');
    if (fate === 'active') {
      past.trade(miner.pairs, count, nowMs);
      past.refresh(pairs);
      return miner;
    }
    const loss = fate === 'liquidated' ? findLiquidation(market, miner.joinedMs, nowMs) : undefined;
    if (loss !== undefined) past.lose(loss);
    const lifeMs = nowMs - miner.joinedMs;
    const anyMs = Math.floor(miner.joinedMs + lifeMs * ownRandom.between(0.4, 1));
    const endMs = loss?.lostMs ?? (fate === 'eliminated-today' ? nowMs - 5 * HOUR_MS : anyMs);
    // The pair of the great loss is not traded otherwise: a miner has one position of a pair at a time.
    const pairsLeft = miner.pairs.filter(({ id }) => id !== loss?.pair.id);
    past.trade(pairsLeft, count - miner.closed.length, endMs);
    past.closeAll(endMs);
    miner.elimination = eliminationFor(miner, endMs);
    return miner;
  });
  return { market, pairs, miners };
}
