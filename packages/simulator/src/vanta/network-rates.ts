import { MARKET_PAIRS } from '../market/market.ts';
import type { Market } from '../market/market.ts';
import { createRandom } from '../random.ts';

const USUAL_ALPHA_TO_TAO = 0.013;
/** Alpha that the subnet's miners are paid with each block, of 1 that is made. */
const ALPHA_PER_BLOCK = 0.41;
const BLOCK_MS = 12_000;
/** When the chain began, about. */
const FIRST_BLOCK_MS = Date.UTC(2023, 2, 20);

/** What the network pays its miners in a span of time, and what that is worth. */
export interface NetworkRates {
  readonly blockStart: number;
  readonly blockEnd: number;
  readonly blocks: number;
  readonly alphaToTao: number;
  readonly taoToUsd: number;
  /** For all miners together, alpha. */
  readonly alpha: number;
}

/** Rates of spans by their beginning and end, Unix ms; each is found once. */
export function networkRates(seed: number, market: Market): (startMs: number, endMs: number) => NetworkRates {
  const tao = MARKET_PAIRS.find(({ id }) => id === 'TAOUSD');
  if (tao === undefined) throw new RangeError('no market for TAOUSD');
  const known = new Map<number, NetworkRates>();
  const blockAt = (timeMs: number): number => Math.floor((timeMs - FIRST_BLOCK_MS) / BLOCK_MS);
  return (startMs, endMs) => {
    let rates = known.get(endMs);
    if (rates === undefined) {
      const random = createRandom(`${seed}/network/${endMs}`);
      const [blockStart, blockEnd] = [blockAt(startMs), blockAt(endMs)];
      rates = {
        blockStart,
        blockEnd,
        blocks: blockEnd - blockStart,
        alphaToTao: USUAL_ALPHA_TO_TAO * Math.exp(0.02 * random.normal()),
        taoToUsd: market.price(tao, endMs),
        // Part of it is burned.
        alpha: ALPHA_PER_BLOCK * (blockEnd - blockStart) * random.between(0.8, 1),
      };
      known.set(endMs, rates);
    }
    return rates;
  };
}
