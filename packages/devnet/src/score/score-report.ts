import { dailyReturns, explainMiners, PORTFOLIO, scoreRound } from '@ptn-api/scoring';
import type { Elimination, Generation, MinerExplanation, Round } from '@ptn-api/scoring';
import { missingRanks, withoutRanks } from './missing-ranks.ts';
import type { ScoreSource } from './score-source.ts';

/** A miner as a round sees it. */
export interface ScoredMiner extends MinerExplanation {
  readonly tradingDays: number;
}

/** What a scoring round makes of a source. */
export interface ScoreReport {
  readonly source: string;
  /** As of when, Unix ms. */
  readonly atMs: number;
  readonly generation: string;
  /** By weight, highest first; then those without one. */
  readonly miners: readonly ScoredMiner[];
  /** Why nobody has a weight, where that is so. */
  readonly noWeights: string | undefined;
  /** Who is promoted, demoted or eliminated when the challenge period is refreshed next. */
  readonly outcomes: readonly { readonly hotkey: string; readonly outcome: string }[];
  /** Rows that exist; their miners are not scored. */
  readonly eliminated: readonly Elimination[];
  readonly problems: readonly string[];
}

function noWeights({ weights, main, generation, stateBefore }: Round, isRanked: boolean): string | undefined {
  if (weights.length > 0) return undefined;
  if (main.final.length > 0 || !isRanked) {
    return `${generation.name} pays what miners are owed, which depends on emissions of the live chain`;
  }
  const isEmpty = ![...stateBefore.values()].some(({ bucket }) => bucket === 'MAINCOMP');
  return isEmpty
    ? 'nobody is in the main competition, and without one validators set none'
    : 'nobody in the main competition has a score: all are beyond the drawdown limit or have no ledger';
}

/** By weight; without one by the score in the main competition; then by hotkey. */
function inOrder(miners: readonly ScoredMiner[], { main }: Round): ScoredMiner[] {
  const places = new Map(main.final.map(([hotkey], place) => [hotkey, place]));
  const placeOf = ({ hotkey, rank }: ScoredMiner): number =>
    rank ?? miners.length + (places.get(hotkey) ?? miners.length);
  return miners.toSorted((a, b) => placeOf(a) - placeOf(b) || (a.hotkey < b.hotkey ? -1 : 1));
}

/**
 * Scores a source as a validator of a generation would at `atMs` (Unix ms). Who is registered is not in the files: everybody
 * counts as registered.
 */
export function scoreSource(source: ScoreSource, atMs: number, generation: Generation): ScoreReport {
  const { miners, state, eliminations, name, problems } = source;
  const round = scoreRound({ nowMs: atMs, generation, miners, state, eliminations });
  const scored = explainMiners(
    round,
    miners.filter(({ hotkey }) => round.stateBefore.has(hotkey)),
  );
  const records = new Map(miners.map((miner) => [miner.hotkey, miner]));
  const missing = missingRanks(miners, generation);
  const rows = scored.map((explanation): ScoredMiner => {
    const ledger = records.get(explanation.hotkey)?.ledgers?.get(PORTFOLIO);
    const days = dailyReturns(ledger, generation.cellDate, generation.ledger.cellMs);
    const row = { ...explanation, tradingDays: days.length };
    return missing === undefined ? row : withoutRanks(row, missing, round);
  });
  return {
    source: name,
    atMs,
    generation: generation.name,
    miners: inOrder(rows, round),
    noWeights: noWeights(round, missing === undefined),
    outcomes: rows.flatMap(({ hotkey, outcome }) => (outcome === undefined ? [] : [{ hotkey, outcome }])),
    eliminated: eliminations,
    problems: missing === undefined ? problems : [missing.problem, ...problems],
  };
}

/** The miner whose hotkey is the given one or begins with it; otherwise why there is no such one. */
export function findMiner({ miners, eliminated }: ScoreReport, wanted: string): ScoredMiner | string {
  const found = miners.filter(({ hotkey }) => hotkey.startsWith(wanted));
  const exact = found.find(({ hotkey }) => hotkey === wanted) ?? (found.length === 1 ? found[0] : undefined);
  if (exact !== undefined) return exact;
  if (found.length > 1) return `${found.length} miners begin with ${wanted}: give more of the hotkey`;
  const row = eliminated.find(({ hotkey }) => hotkey.startsWith(wanted));
  if (row !== undefined) {
    const since = new Date(row.elimination_initiated_time_ms).toISOString();
    return `${row.hotkey} was eliminated at ${since}: ${row.reason}`;
  }
  return `no miner ${wanted} among the ${miners.length} that are scored`;
}
