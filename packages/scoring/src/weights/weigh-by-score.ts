import { hotkeysIn } from '../challenge/buckets.ts';
import { PORTFOLIO } from '../ledger/checkpoint.ts';
import { dailyReturns } from '../daily-returns.ts';
import type { MinerRecord } from '../miner-record.ts';
import { highestFirst } from '../combination/highest-first.ts';
import { scoreMiners } from '../score-miners.ts';
import type { WeighRule } from '../generations/generation.ts';
import type { Weights } from './weigh-rule.ts';

/** What miners in the challenge period get, the best the most. */
export interface ChallengeWeights {
  readonly min: number;
  readonly max: number;
}

/** Trading days from which on a score in the challenge period counts in full. */
const FULL_DAYS = 90;

/** Scores times the square root of how many of 90 days were traded; the order of the best decides their weights. */
export function timeWeighted(
  scores: Weights,
  tradingDays: ReadonlyMap<string, number>,
): [hotkey: string, score: number][] {
  return scores.map(([hotkey, score]) => [
    hotkey,
    score * Math.sqrt((tradingDays.get(hotkey) ?? 0) / FULL_DAYS),
  ]);
}

/** Weights in even steps from the best, who gets the most, to the last. One alone gets the most. */
export function challengeWeights(scores: Weights, { min, max }: ChallengeWeights): [string, number][] {
  const ranked = highestFirst(scores);
  const step = (min - max) / (ranked.length - 1);
  return ranked.map(([hotkey], place) => [
    hotkey,
    place === 0 ? max : place === ranked.length - 1 ? min : place * step + max,
  ]);
}

/** Miners that have something to score. */
export function withLedger(
  hotkeys: readonly string[],
  miners: ReadonlyMap<string, MinerRecord>,
): MinerRecord[] {
  return hotkeys.flatMap((hotkey) => {
    const miner = miners.get(hotkey);
    return miner !== undefined && (miner.ledgers?.get(PORTFOLIO)?.cps.length ?? 0) > 0 ? [miner] : [];
  });
}

/**
 * Weights up to autumn 2025: the main competition is paid by its scores, which add up to 1; those in the challenge period get next
 * to nothing, in the order of their scores. Without a main competition none are set.
 */
export function weighByScore(terms: ChallengeWeights): WeighRule {
  return ({ nowMs, generation, state, miners, main }) => {
    if (main.final.length === 0) return [];
    const testing = withLedger(hotkeysIn(state, 'CHALLENGE'), miners);
    const { final } = scoreMiners(testing, generation, { nowMs, isWeighted: true });
    const { cellDate, ledger } = generation;
    const tradingDays = new Map(
      testing.map((miner) => [
        miner.hotkey,
        dailyReturns(miner.ledgers?.get(PORTFOLIO), cellDate, ledger.cellMs).length,
      ]),
    );
    return [...main.final, ...challengeWeights(timeWeighted(final, tradingDays), terms)];
  };
}
