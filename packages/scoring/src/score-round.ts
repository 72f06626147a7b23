import { hotkeysIn } from './challenge/buckets.ts';
import type { ChallengeState } from './challenge/buckets.ts';
import type { Inspection } from './challenge/inspect-challenge.ts';
import { admitMiners, applyInspection } from './challenge/refresh-challenge.ts';
import type { Elimination } from './eliminations/elimination.ts';
import { findEliminations } from './eliminations/find-eliminations.ts';
import type { Generation } from './generations/generation.ts';
import type { MinerRecord } from './miner-record.ts';
import { scoreMiners } from './score-miners.ts';
import type { ScoredMiners } from './scored-miners.ts';
import { withLedger } from './weights/weigh-by-score.ts';
import type { Emissions, Weights } from './weights/weigh-rule.ts';

/** What a round is decided on. */
export interface RoundInput {
  /** Unix ms. */
  readonly nowMs: number;
  readonly generation: Generation;
  /** All that have positions or a ledger, in any order. */
  readonly miners: readonly MinerRecord[];
  readonly state: ChallengeState;
  /** Rows that exist. */
  readonly eliminations: readonly Elimination[];
  /** Rows that building the ledgers has led to. */
  readonly liquidations?: readonly Elimination[];
  /** Registered hotkeys; undefined where that is not known. */
  readonly metagraph?: ReadonlySet<string>;
  /** Whether it is the first round since the validator started. */
  readonly isFirst?: boolean;
  /** For generations that pay what is owed; without it they set no weights. */
  readonly emissions?: Emissions;
  /** Suspects, for generations that ask a service for them. */
  readonly plagiarists?: ReadonlySet<string>;
}

/** What a round decides. */
export interface Round {
  readonly nowMs: number;
  readonly generation: Generation;
  /** The state that was scored: without the eliminated, with newcomers. */
  readonly stateBefore: ChallengeState;
  readonly stateAfter: ChallengeState;
  /** The main competition, weighted. */
  readonly main: ScoredMiners;
  /** What each miner of `stateBefore` is paid with; those promoted now are paid as such from the next round on. */
  readonly weights: Weights;
  readonly inspection: Inspection;
  /** Rows to add. Open positions of their hotkeys are to be closed by `closeByElimination`. */
  readonly eliminations: readonly Elimination[];
}

/**
 * One round of a validator: scores the main competition, weighs everybody, inspects the challenge period, and finds who has to
 * go. The order and the names of the miners change nothing but the order of equals.
 */
export function scoreRound(input: RoundInput): Round {
  const { nowMs, generation, metagraph, emissions, plagiarists, liquidations = [] } = input;
  const miners = new Map(input.miners.map((miner) => [miner.hotkey, miner]));
  const eliminated = new Set([...input.eliminations, ...liquidations].map(({ hotkey }) => hotkey));
  const { isFirst } = input;
  const state = admitMiners({ nowMs, state: input.state, miners, eliminated, metagraph, isFirst });
  const main = scoreMiners(withLedger(hotkeysIn(state, 'MAINCOMP'), miners), generation, {
    nowMs,
    isWeighted: true,
  });
  const weights = generation.weigh({ nowMs, generation, state, miners, main, emissions });
  const inspection = generation.challenge.inspect({ nowMs, generation, state, miners, main, plagiarists });
  const { failed } = inspection;
  const eliminations = findEliminations({
    nowMs,
    existing: input.eliminations,
    liquidations,
    failed,
    state,
    miners,
    metagraph,
  });
  return {
    nowMs,
    generation,
    stateBefore: state,
    stateAfter: applyInspection(state, inspection, nowMs, metagraph),
    main,
    weights: metagraph === undefined ? weights : weights.filter(([hotkey]) => metagraph.has(hotkey)),
    inspection,
    eliminations,
  };
}
